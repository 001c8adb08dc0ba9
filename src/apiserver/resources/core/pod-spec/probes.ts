// Probes and lifecycle hooks: exactly one handler, numbers in range.
import type { HTTPGetAction, Lifecycle, Probe } from '#api/generated/core-v1.ts';
import { type FieldError, child, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { nonNegative } from '../../numbers.ts';
import { oneOf } from '../../one-of.ts';
import { validatePortNumberOrName } from '../ports.ts';

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & { sleep?: { seconds?: number } };

export function validateLivenessProbe(probe: Probe | undefined, path: string): FieldError[] {
  return [...validateProbe(probe, path), ...validateSingleSuccess(probe, path)];
}

export function validateReadinessProbe(probe: Probe | undefined, path: string): FieldError[] {
  const errors = validateProbe(probe, path);
  if (probe?.terminationGracePeriodSeconds !== undefined)
    errors.push(
      invalidValue(
        child(path, 'terminationGracePeriodSeconds'),
        probe.terminationGracePeriodSeconds,
        'must not be set for readinessProbes',
      ),
    );
  return errors;
}

export function validateLifecycle(lifecycle: Lifecycle | undefined, graceSeconds: number, path: string): FieldError[] {
  if (!lifecycle) return [];
  return [
    ...(lifecycle.postStart ? validateHandler(lifecycle.postStart, child(path, 'postStart'), graceSeconds) : []),
    ...(lifecycle.preStop ? validateHandler(lifecycle.preStop, child(path, 'preStop'), graceSeconds) : []),
  ];
}

function validateProbe(probe: Probe | undefined, path: string): FieldError[] {
  if (!probe) return [];
  const errors = validateHandler(probe, path, 0);
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const)
    errors.push(...nonNegative(probe[field], child(path, field)));
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0)
    errors.push(invalidValue(child(path, 'terminationGracePeriodSeconds'), grace, 'must be greater than 0'));
  return errors;
}

function validateSingleSuccess(probe: Probe | undefined, path: string): FieldError[] {
  return probe && probe.successThreshold !== 1 ? [invalidValue(child(path, 'successThreshold'), probe.successThreshold, 'must be 1')] : [];
}

function validateHandler(handler: Handler, path: string, graceSeconds: number): FieldError[] {
  const given = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter((field) => handler[field] !== undefined);
  if (given.length === 0) return [required(path, 'must specify a handler type')];
  const [first, ...others] = given;
  return [
    ...validateAction(handler, child(path, first!), graceSeconds, first!),
    ...others.map((field) => notAllowed(child(path, field), 'may not specify more than 1 handler type')),
  ];
}

function validateAction(handler: Handler, path: string, graceSeconds: number, which: keyof Handler): FieldError[] {
  switch (which) {
    case 'exec':
      return handler.exec!.command?.length ? [] : [required(child(path, 'command'))];
    case 'httpGet':
      return validateHttpGet(handler.httpGet!, path);
    case 'tcpSocket':
      return validatePortNumberOrName(handler.tcpSocket!.port ?? 0, child(path, 'port'));
    case 'grpc':
      return validatePortNumberOrName(handler.grpc!.port ?? 0, child(path, 'port'));
    default: {
      const seconds = handler.sleep!.seconds ?? 0;
      if (seconds >= 0 && seconds <= graceSeconds) return [];
      return [invalidValue(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`)];
    }
  }
}

function validateHttpGet({ path = '', port, scheme, httpHeaders = [] }: HTTPGetAction, at: string): FieldError[] {
  return [
    ...(path === '' ? [required(child(at, 'path'))] : []),
    ...validatePortNumberOrName(port ?? 0, child(at, 'port')),
    ...oneOf(scheme, ['HTTP', 'HTTPS'], child(at, 'scheme')),
    ...httpHeaders.flatMap(({ name = '' }) => validateHeaderName(name, child(at, 'httpHeaders'))),
  ];
}

function validateHeaderName(name: string, path: string): FieldError[] {
  if (/^[-A-Za-z0-9]+$/.test(name)) return [];
  const text =
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
  return [invalidValue(path, name, text)];
}
