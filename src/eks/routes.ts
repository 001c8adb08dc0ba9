// Which operation a method and a path mean, and the labels in the path.
import type { OperationName } from './generated/types.ts';
import { operations } from './model.ts';

interface Route {
  operation: OperationName;
  method: string;
  segments: readonly string[];
}

export interface RouteMatch {
  operation: OperationName;
  labels: Readonly<Record<string, string>>;
}

const routes: readonly Route[] = Object.entries(operations).map(([operation, model]) => ({
  operation: operation as OperationName,
  method: model.method,
  segments: model.uri.split('?')[0]!.split('/').slice(1),
}));

/** Undefined: no operation has this method and path. A label is one segment of the path, decoded; it may not be empty. */
export function matchRoute(method: string, path: string): RouteMatch | undefined {
  const segments = path.replace(/\/$/, '').split('/').slice(1);
  const matches = routes.filter((route) => route.method === method && route.segments.length === segments.length);
  for (const route of matches) {
    const labels = labelsOf(route, segments);
    if (labels !== undefined) return { operation: route.operation, labels };
  }
  return undefined;
}

function labelsOf(route: Route, segments: string[]): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const [i, expected] of route.segments.entries()) {
    const actual = segments[i]!;
    if (!expected.startsWith('{')) {
      if (expected !== actual) return undefined;
    } else {
      const value = decode(actual);
      if (!value) return undefined;
      labels[expected.slice(1, -1)] = value;
    }
  }
  return labels;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
