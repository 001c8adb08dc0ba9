// Terminal sizes as they come: `{"Width":80,"Height":24}`, one JSON object after another.

export interface Resizes extends AsyncIterable<{ width: number; height: number }> {
  push(chunk: Buffer): void;
  end(): void;
}

export function createResizes(): Resizes {
  const waiting: { width: number; height: number }[] = [];
  let text = '';
  let ended = false;
  let wake = () => {};
  return {
    push(chunk) {
      text += chunk.toString();
      for (let at = text.indexOf('}'); at >= 0; at = text.indexOf('}')) {
        const size = parse(text.slice(0, at + 1));
        text = text.slice(at + 1);
        if (!size) continue;
        // Only the latest size counts for a reader that is behind.
        waiting.splice(0, waiting.length, size);
        wake();
      }
      if (text.length > 1024) text = '';
    },
    end() {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        const next = waiting.shift();
        if (next) yield next;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function parse(text: string): { width: number; height: number } | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return typeof Width === 'number' && typeof Height === 'number' ? { width: Width, height: Height } : undefined;
  } catch {
    return undefined;
  }
}
