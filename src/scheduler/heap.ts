// A binary heap whose elements can also be found and taken out by key.

export interface Heap<T> {
  readonly size: number;
  /** Replaces an element with the same key. Equal elements come out in the order they went in. */
  push(element: T): void;
  peek(): T | undefined;
  get(key: string): T | undefined;
  pop(): T | undefined;
  remove(key: string): T | undefined;
}

interface Slot<T> {
  element: T;
  key: string;
  sequence: number;
}

export function createHeap<T>(comesFirst: (a: T, b: T) => boolean, keyOf: (element: T) => string): Heap<T> {
  const slots: Slot<T>[] = [];
  const positions = new Map<string, number>();
  let sequence = 0;

  const before = (a: Slot<T>, b: Slot<T>) =>
    comesFirst(a.element, b.element) || (!comesFirst(b.element, a.element) && a.sequence < b.sequence);
  const set = (position: number, slot: Slot<T>) => {
    slots[position] = slot;
    positions.set(slot.key, position);
  };
  const rise = (position: number, slot: Slot<T>): void => {
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!before(slot, slots[parent]!)) break;
      set(position, slots[parent]!);
      position = parent;
    }
    set(position, slot);
  };
  const sink = (position: number, slot: Slot<T>): void => {
    for (;;) {
      let child = 2 * position + 1;
      if (child >= slots.length) break;
      if (child + 1 < slots.length && before(slots[child + 1]!, slots[child]!)) child++;
      if (!before(slots[child]!, slot)) break;
      set(position, slots[child]!);
      position = child;
    }
    set(position, slot);
  };
  const removeAt = (position: number): T => {
    const { element, key } = slots[position]!;
    const last = slots.pop()!;
    positions.delete(key);
    if (last.key !== key) {
      if (position > 0 && before(last, slots[(position - 1) >> 1]!)) rise(position, last);
      else sink(position, last);
    }
    return element;
  };

  return {
    get size() {
      return slots.length;
    },
    push(element) {
      const key = keyOf(element);
      const known = positions.get(key);
      if (known !== undefined) removeAt(known);
      const slot = { element, key, sequence: sequence++ };
      slots.push(slot);
      rise(slots.length - 1, slot);
    },
    peek: () => slots[0]?.element,
    get(key) {
      const position = positions.get(key);
      return position === undefined ? undefined : slots[position]!.element;
    },
    pop: () => (slots.length > 0 ? removeAt(0) : undefined),
    remove(key) {
      const position = positions.get(key);
      return position === undefined ? undefined : removeAt(position);
    },
  };
}
