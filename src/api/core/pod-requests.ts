// What a pod reserves on its node: the scheduler and the kubelet must come to the same sums.
import type { Container, Pod } from '#api/generated/core-v1.ts';
import type { Amounts } from './amounts.ts';
import { addAmounts, amountsOf, maxAmounts } from './amounts.ts';

/** An init container that goes on running beside whatever comes after it. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * Containers run together, init containers one after the other before them, sidecars beside what follows them. Pod-level requests
 * replace the sum where they are set; overhead comes on top. `of` tells what one container asks for.
 */
export function podRequests(pod: Pod, of: (container: Container) => Amounts = requestsOf): Amounts {
  let sidecars: Amounts = {};
  let startup: Amounts = {};
  for (const container of pod.spec.initContainers ?? []) {
    if (isSidecar(container)) {
      sidecars = addAmounts(sidecars, of(container));
      startup = maxAmounts(startup, sidecars);
    } else startup = maxAmounts(startup, addAmounts(sidecars, of(container)));
  }
  const running = (pod.spec.containers ?? []).reduce((sum, container) => addAmounts(sum, of(container)), sidecars);
  const whole = { ...maxAmounts(running, startup), ...amountsOf(pod.spec.resources?.requests) };
  return addAmounts(whole, amountsOf(pod.spec.overhead));
}

function requestsOf(container: Container): Amounts {
  return amountsOf(container.resources?.requests);
}
