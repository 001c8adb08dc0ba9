// One pod against all nodes: filter, score, pick. Pure but for the tie-break's chance.
import type { Random } from '#lib/random.ts';
import { maxScore } from './framework.ts';
import type { Profile, ScorePlugin } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

export type Pick =
  | { node: NodeInfo; nextStart: number }
  /** `plugins` turned it away: only what they wait for can help. */
  | { node: undefined; message: string; plugins: ReadonlySet<string>; nextStart: number };

/** `start`: where among the nodes to begin, so that sampling goes round. */
export function pickNode(pod: PodInfo, nodes: readonly NodeInfo[], profile: Profile, random: Random, start: number): Pick {
  if (nodes.length === 0)
    return { node: undefined, message: 'no nodes available to schedule pods', plugins: new Set(['NodeName']), nextStart: 0 };
  for (const plugin of profile.preFilters) {
    const refusal = plugin.preFilter(pod);
    if (refusal !== undefined) {
      return {
        node: undefined,
        message: `0/${nodes.length} nodes are available: ${refusal}.`,
        plugins: new Set([plugin.name]),
        nextStart: start,
      };
    }
  }
  const { feasible, reasons, plugins, looked } = filterNodes(pod, nodes, profile, start);
  const nextStart = (start + looked) % nodes.length;
  if (feasible.length === 0) return { node: undefined, message: describe(nodes.length, reasons), plugins, nextStart };
  const node = feasible.length === 1 ? feasible[0]! : best(feasible, scoreNodes(pod, feasible, profile.scores), random);
  return { node, nextStart };
}

function filterNodes(pod: PodInfo, nodes: readonly NodeInfo[], { filters }: Profile, start: number) {
  const wanted = feasibleWanted(nodes.length);
  const feasible: NodeInfo[] = [];
  const reasons = new Map<string, number>();
  const plugins = new Set<string>();
  let looked = 0;
  while (looked < nodes.length && feasible.length < wanted) {
    const node = nodes[(start + looked++) % nodes.length]!;
    let refused = false;
    for (const plugin of filters) {
      const refusal = plugin.filter(pod, node);
      if (refusal === undefined) continue;
      for (const reason of refusal) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      plugins.add(plugin.name);
      refused = true;
      break;
    }
    if (!refused) feasible.push(node);
  }
  return { feasible, reasons, plugins, looked };
}

/** Upstream's adaptive share: all of up to 100 nodes, then from 50 % downwards to 5 %, never fewer than 100. */
export function feasibleWanted(nodes: number): number {
  if (nodes < 100) return nodes;
  const percent = Math.max(5, 50 - Math.floor(nodes / 125));
  return Math.max(100, Math.floor((nodes * percent) / 100));
}

function scoreNodes(pod: PodInfo, nodes: readonly NodeInfo[], plugins: readonly ScorePlugin[]): Float64Array {
  const totals = new Float64Array(nodes.length);
  for (const plugin of plugins) {
    if (!plugin.concerns(pod)) continue;
    const scores = Float64Array.from(nodes, (node) => plugin.score(pod, node));
    normalize(scores, plugin.normalize);
    for (let i = 0; i < scores.length; i++) totals[i]! += scores[i]! * plugin.weight;
  }
  return totals;
}

function normalize(scores: Float64Array, how: ScorePlugin['normalize']): void {
  if (how === 'as-is') return;
  let highest = 0;
  for (const score of scores) if (score > highest) highest = score;
  for (let i = 0; i < scores.length; i++) {
    const share = highest === 0 ? 0 : Math.floor((scores[i]! * maxScore) / highest);
    scores[i] = how === 'lowest' ? maxScore - share : share;
  }
}

/** One of the best, each with the same chance. */
function best(nodes: readonly NodeInfo[], totals: Float64Array, random: Random): NodeInfo {
  let highest = -Infinity;
  let ties: number[] = [];
  for (const [i, total] of totals.entries()) {
    if (total > highest) {
      highest = total;
      ties = [i];
    } else if (total === highest) ties.push(i);
  }
  return nodes[ties[ties.length === 1 ? 0 : Math.floor(random.next() * ties.length)]!]!;
}

/** `0/2 nodes are available: 1 Insufficient cpu, 1 Too many pods.` */
function describe(nodes: number, reasons: ReadonlyMap<string, number>): string {
  const counted = [...reasons].map(([reason, count]) => `${count} ${reason}`).toSorted();
  return `0/${nodes} nodes are available: ${counted.join(', ')}.`;
}
