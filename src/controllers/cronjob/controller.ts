// The CronJob controller: starts Jobs when they are due and keeps the last few of them.
import type { Job } from '#api/generated/batch-v1.ts';
import { cronjobs, jobs } from '#api/generated/resources.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import type { Controller } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { byController, controllerIndex } from '../runtime/indexes.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { reconcileCronJob } from './reconcile.ts';

export const cronJobController: Controller = {
  name: 'cronjob',
  serviceAccount: 'cronjob-controller',
  start(context) {
    const cronJobs = context.informers.informer(cronjobs);
    const owned = context.informers.informer(jobs);
    owned.addIndex(byController, controllerIndex);
    const reconciler = startReconciler(context, {
      name: 'cronjob',
      waitFor: [cronJobs, owned],
      async reconcile(key) {
        const cronJob = cronJobs.get(key);
        return cronJob && (await reconcileCronJob(context, cronJob, owned.byIndex(byController, cronJob.metadata.uid!)));
      },
    });
    const enqueueOwner = (job: Job): void => {
      const controller = controllerOf(job);
      if (controller?.kind === 'CronJob') reconciler.enqueue(`${job.metadata.namespace}/${controller.name}`);
    };
    const handlers = [
      cronJobs.addHandlers({
        added: (cronJob) => reconciler.enqueue(keyOf(cronJob)),
        updated(old, cronJob) {
          // Its own status says nothing new.
          if (!saysTheSame(old.spec, cronJob.spec)) reconciler.enqueue(keyOf(cronJob));
        },
      }),
      owned.addHandlers({ added: enqueueOwner, updated: (_old, job) => enqueueOwner(job), deleted: enqueueOwner }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};
