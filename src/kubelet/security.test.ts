// Who a container may not run as.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, SecurityContext } from '#api/generated/core-v1.ts';
import type { ImageUser } from './runtime/runtime.ts';
import { checkNonRoot } from './security.ts';

const refusal = (own: SecurityContext, imageUser: ImageUser | undefined): string | undefined => {
  const container: Container = { name: 'c', image: 'nginx', securityContext: own };
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'default', uid: 'u-1' },
    spec: { containers: [container], securityContext: { runAsNonRoot: true } },
  };
  try {
    checkNonRoot(pod, container, imageUser);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('a pod that forbids root does not run as the root of its image', () => {
  const place = '(pod: "p_default(u-1)", container: c)';
  assert.equal(refusal({}, { uid: 0 }), `container has runAsNonRoot and image will run as root ${place}`);
  assert.equal(
    refusal({}, { username: 'web' }),
    `container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root ${place}`,
  );
  assert.equal(refusal({ runAsUser: 0 }, { uid: 7 }), `container's runAsUser breaks non-root policy ${place}`);
  assert.equal(refusal({}, { uid: 101 }), undefined);
  assert.equal(refusal({ runAsUser: 1000 }, { uid: 0 }), undefined, 'the pod says who');
  assert.equal(refusal({ runAsNonRoot: false }, { uid: 0 }), undefined, "a container's word goes before its pod's");
  assert.equal(refusal({}, undefined), undefined, 'nothing runs at all');
});
