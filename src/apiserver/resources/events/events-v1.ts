// Events as events.k8s.io/v1 has them: the same objects as the core group's, under newer names.
import type { Event as CoreEvent } from '#api/generated/core-v1.ts';
import type { Event } from '#api/generated/events-v1.ts';
import { eventsEvents } from '#api/generated/resources.ts';
import { required } from '#api/meta/field-errors.ts';
import type { OtherVersion } from '../resource.ts';

export const eventsOfEventsGroup: OtherVersion<CoreEvent, Event> = {
  resource: eventsEvents,
  toStorage({ regarding, note, deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount, ...event }) {
    const { reportingController, ...rest } = event;
    return withoutNothing({
      ...rest,
      involvedObject: regarding ?? {},
      message: note,
      source: deprecatedSource,
      firstTimestamp: deprecatedFirstTimestamp,
      lastTimestamp: deprecatedLastTimestamp,
      count: deprecatedCount,
      reportingComponent: reportingController,
    });
  },
  fromStorage({ involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...event }) {
    return withoutNothing({
      ...event,
      eventTime: event.eventTime as string,
      series: event.series as Event['series'],
      regarding: involvedObject,
      note: message,
      deprecatedSource: source,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
      reportingController: reportingComponent,
    });
  },
  // The newer form is of its time only; the older one still comes through here when it is read and written back.
  validate: ({ eventTime, deprecatedFirstTimestamp }) => (eventTime || deprecatedFirstTimestamp ? [] : [required('eventTime')]),
  selectableFields: ({ metadata, involvedObject, reason, reportingComponent, type }) => ({
    'metadata.name': metadata.name ?? '',
    'regarding.kind': involvedObject.kind ?? '',
    'regarding.namespace': involvedObject.namespace ?? '',
    'regarding.name': involvedObject.name ?? '',
    'regarding.uid': involvedObject.uid ?? '',
    'regarding.apiVersion': involvedObject.apiVersion ?? '',
    'regarding.resourceVersion': involvedObject.resourceVersion ?? '',
    'regarding.fieldPath': involvedObject.fieldPath ?? '',
    reason: reason ?? '',
    reportingController: reportingComponent ?? '',
    type: type ?? '',
  }),
};

/** In place: members that are not set vanish. */
function withoutNothing<T extends object>(object: T): T {
  for (const key of Object.keys(object) as (keyof T)[]) if (object[key] === undefined) delete object[key];
  return object;
}
