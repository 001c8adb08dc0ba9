// Events: about an object of their own namespace; the newer form must say who reports what.
import type { Event } from '#api/generated/core-v1.ts';
import { events } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, required } from '#api/meta/field-errors.ts';
import { isDns1123Subdomain, isQualifiedName } from '#api/meta/names.ts';
import { eventsOfEventsGroup } from '../events/events-v1.ts';
import type { OtherVersion, ResourceRules } from '../resource.ts';
import { age, nameCell } from '../table-cells.ts';

const MAX_CHARACTERS = 128;
const MAX_MESSAGE_CHARACTERS = 1024;
const OTHER_NAMESPACE = 'does not match event.namespace';

export const eventRules: ResourceRules<Event> = {
  resource: events,
  otherVersions: [eventsOfEventsGroup as OtherVersion<Event>],
  setDefaults(event) {
    event.source ??= {};
    event.reportingComponent ??= '';
    event.reportingInstance ??= '';
  },
  validate: (event) => [...(event.eventTime ? validateNewForm(event) : validateOldForm(event)), ...validateNamespace(event)],
  columns: [
    lastSeen,
    (event) => event.type ?? '',
    (event) => event.reason ?? '',
    (event) => {
      const kind = (event.involvedObject.kind ?? '').toLowerCase();
      return event.involvedObject.name ? `${kind}/${event.involvedObject.name}` : kind;
    },
    (event) => event.involvedObject.fieldPath ?? '',
    (event) => {
      const component = event.source?.component || event.reportingComponent || '';
      const host = event.source?.host || event.reportingInstance || '';
      return host ? `${component}, ${host}` : component;
    },
    (event) => (event.message ?? '').trim(),
    firstSeen,
    (event) => String(event.series?.count ?? (event.count || 1)),
    nameCell,
  ],
  selectableFields: ({ involvedObject, reason, reportingComponent, type, source }) => ({
    'involvedObject.kind': involvedObject.kind ?? '',
    'involvedObject.namespace': involvedObject.namespace ?? '',
    'involvedObject.name': involvedObject.name ?? '',
    'involvedObject.uid': involvedObject.uid ?? '',
    'involvedObject.apiVersion': involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': involvedObject.fieldPath ?? '',
    reason: reason ?? '',
    reportingComponent: reportingComponent ?? '',
    source: source?.component || reportingComponent || '',
    type: type ?? '',
  }),
};

function firstSeen({ firstTimestamp, eventTime }: Event, { now }: { now: number }): string {
  return age(firstTimestamp || eventTime, now);
}

function lastSeen(event: Event, context: { now: number }): string {
  const last = event.series ? event.series.lastObservedTime : event.lastTimestamp;
  return last || event.series ? age(last, context.now) : firstSeen(event, context);
}

function validateOldForm({ metadata, involvedObject }: Event): FieldError[] {
  const about = involvedObject?.namespace ?? '';
  const own = metadata.namespace ?? '';
  const fits = about === '' ? own === '' || own === 'default' : own === about;
  return fits ? [] : [invalidValue('involvedObject.namespace', about, OTHER_NAMESPACE)];
}

function validateNewForm(event: Event): FieldError[] {
  const { metadata, involvedObject, reportingComponent = '', reportingInstance = '', action = '', reason = '', message = '' } = event;
  const errors: FieldError[] = [];
  const own = metadata.namespace ?? '';
  if (!involvedObject?.namespace && own !== 'default' && own !== 'kube-system')
    errors.push(invalidValue('involvedObject.namespace', '', OTHER_NAMESPACE));
  if (reportingComponent === '') errors.push(required('reportingComponent'));
  errors.push(...isQualifiedName(reportingComponent).map((text) => invalidValue('reportingComponent', reportingComponent, text)));
  for (const [field, value] of Object.entries({ reportingInstance, action, reason })) {
    if (value === '') errors.push(required(field));
    if (value.length > MAX_CHARACTERS) errors.push(invalidValue(field, '', `can have at most ${MAX_CHARACTERS} characters`));
  }
  if (message.length > MAX_MESSAGE_CHARACTERS)
    errors.push(invalidValue('message', '', `can have at most ${MAX_MESSAGE_CHARACTERS} characters`));
  return errors;
}

function validateNamespace({ metadata: { namespace = '' } }: Event): FieldError[] {
  return isDns1123Subdomain(namespace).map((message) => invalidValue('namespace', namespace, message));
}
