// Node selector terms, as node affinity and persistent volumes use them; whether a node is one that a pod asks for.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '#api/generated/core-v1.ts';

type Labelled = Pick<Node, 'metadata'>;

/** Whether the node carries what the pod's node selector and required node affinity ask for. */
export function isNodeWanted(pod: Pick<Pod, 'spec'>, node: Labelled): boolean {
  const { nodeSelector, affinity } = pod.spec;
  const labels = node.metadata.labels;
  for (const key in nodeSelector) if (labels?.[key] !== nodeSelector[key]) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** All of a term's expressions must hold; a term without any matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: Labelled): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => holds(requirement, node.metadata.labels?.[requirement.key])) &&
    matchFields.every((requirement) => holds(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined))
  );
}

function holds({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
      return isInteger(actual) && isInteger(values[0]) && BigInt(actual) > BigInt(values[0]);
    case 'Lt':
      return isInteger(actual) && isInteger(values[0]) && BigInt(actual) < BigInt(values[0]);
    default:
      return false;
  }
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^-?\d+$/.test(text);
}
