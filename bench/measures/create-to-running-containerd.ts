// From creating a pod to the event that says Running on a real node: containerd, its image present, its address given by CNI.
import { systemClock as clock } from '#lib/clock.ts';
import { removeEverything } from '#network/machine/machines.ts';
import { requirements } from '#root/src/cli/requirements.ts';
import { busyboxImage } from '#root/test/support/debian-image.ts';
import type { Measure } from '../measure.ts';
import { startDaemon } from '../support/daemon.ts';
import { runningLatency } from '../support/running-latency.ts';

export const containerdCreateToRunning: Measure = {
  name: 'create-to-running-containerd',
  runs: 1,
  async measure({ quick }) {
    const missing = (await requirements()).filter(({ ok }) => !ok).map(({ name }) => name);
    if (missing.length > 0) return { skipped: `real nodes cannot run here, missing: ${missing.join(', ')}` };
    if (quick) return { skipped: 'takes too long for --quick' };
    const archive = await busyboxImage();
    const start = performance.now();
    await using daemon = await startDaemon({ nodes: 2, runtime: 'containerd', cleanUp: (home) => removeEverything({ home, clock }) });
    const upMs = performance.now() - start;
    await daemon.keks('image', 'load', archive);
    const client = await daemon.client();
    const { p50, p99 } = await runningLatency(client, { count: 20, warmUp: 4, image: 'busybox' });
    client.close();
    return [
      { name: 'keks up → 2 Ready real nodes', value: upMs / 1000, unit: 's' },
      {
        name: 'create → Running on containerd, p50',
        value: p50,
        unit: 'ms',
        note: 'busybox, imagePullPolicy Always from the local registry',
      },
      { name: 'create → Running on containerd, p99', value: p99, unit: 'ms', note: 'of 20 pods' },
    ];
  },
};
