// Certificate signing requests: who asks is written by the server, and what was asked for never changes.
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '#api/generated/certificates-v1.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import { type FieldError, child, duplicate, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { isDns1123Subdomain } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, humanDuration, nameCell } from '../table-cells.ts';

const MIN_EXPIRATION_SECONDS = 600;
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

export const certificateSigningRequestRules: ResourceRules<CertificateSigningRequest> = {
  resource: certificatesigningrequests,
  setDefaults(request) {
    request.status ??= {};
  },
  prepareForCreate(request, { user }) {
    dropStatus(request);
    if (!request.spec) return;
    request.spec.username = user.name;
    request.spec.groups = [...user.groups];
    if (user.uid) request.spec.uid = user.uid;
    else delete request.spec.uid;
    if (user.extra) request.spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]));
    else delete request.spec.extra;
  },
  prepareForUpdate(request, old) {
    request.spec = old.spec;
    keepStatus(request, old);
  },
  validate,
  status: {
    validateUpdate: (request, old) => [...validateConditions(request), ...validateKeptDecisions(request, old)],
  },
  columns: [
    nameCell,
    ageCell,
    (request) => request.spec.signerName || '<none>',
    (request) => request.spec.username ?? '',
    (request) => (request.spec.expirationSeconds === undefined ? '<none>' : humanDuration(request.spec.expirationSeconds)),
    conditionCell,
  ],
  selectableFields: (request) => ({ 'spec.signerName': request.spec?.signerName ?? '' }),
};

function validate(request: CertificateSigningRequest): FieldError[] {
  const { signerName = '', usages = [], expirationSeconds } = request.spec ?? {};
  const errors = validateRequest(request.spec?.request ?? '');
  if (usages.length === 0) errors.push(required('spec.usages', 'at least one usage is required'));
  for (const [position, usage] of usages.entries()) {
    if (!USAGES.includes(usage)) errors.push(notSupported(index('spec.usages', position), usage, USAGES));
    if (usages.indexOf(usage) < position) errors.push(duplicate(index('spec.usages', position), usage));
  }
  errors.push(...validateSignerName(signerName));
  if (expirationSeconds !== undefined && expirationSeconds < MIN_EXPIRATION_SECONDS)
    errors.push(invalidValue('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)'));
  return [...errors, ...validateConditions(request)];
}

/** Only the frame is looked at here: a certificate library would double the server's start-up. The signer reads it all. */
function validateRequest(request: string): FieldError[] {
  const path = 'spec.request';
  const pem = Buffer.from(request, 'base64').toString();
  const body = /-----BEGIN CERTIFICATE REQUEST-----([^-]*)-----END CERTIFICATE REQUEST-----/.exec(pem)?.[1];
  if (body === undefined) return [invalidValue(path, request, 'PEM block type must be CERTIFICATE REQUEST')];
  return isSequence(Buffer.from(body, 'base64')) ? [] : [invalidValue(path, request, 'asn1: syntax error: data truncated')];
}

/** Whether the bytes are one ASN.1 sequence, no more and no less. */
function isSequence(der: Buffer): boolean {
  const first = der[1];
  if (der[0] !== 0x30 || first === undefined) return false;
  if (first < 0x80) return der.length === first + 2;
  const size = first & 0x7f;
  return size >= 1 && size <= 4 && der.length > size + 2 && der.length === der.readUIntBE(2, size) + size + 2;
}

function validateSignerName(signerName: string): FieldError[] {
  const path = 'spec.signerName';
  if (signerName === '') return [required(path)];
  const [domain, name, ...more] = signerName.split('/');
  const shape = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  if (more.length > 0 || name === undefined) return [invalidValue(path, signerName, shape)];
  const errors = isDns1123Subdomain(domain!).map((message) => invalidValue(path, domain, `validating label "${domain}": ${message}`));
  if (!domain!.includes('.')) errors.push(invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'));
  return [...errors, ...isDns1123Subdomain(name).map((message) => invalidValue(path, name, `validating label "${name}": ${message}`))];
}

function validateConditions({ status }: CertificateSigningRequest): FieldError[] {
  const conditions = status?.conditions ?? [];
  const errors: FieldError[] = [];
  const has = (type: string) => conditions.some((condition) => condition.type === type);
  for (const [position, condition] of conditions.entries()) {
    const path = index('status.conditions', position);
    errors.push(...validateCondition(condition, path));
    if (conditions.findIndex(({ type }) => type === condition.type) < position) errors.push(duplicate(child(path, 'type'), condition.type));
    const other = condition.type === 'Approved' ? 'Denied' : condition.type === 'Denied' ? 'Approved' : undefined;
    if (other && has(other))
      errors.push(invalidValue(child(path, 'type'), condition.type, 'Approved and Denied conditions are mutually exclusive'));
  }
  return errors;
}

function validateCondition({ type = '', status = '' }: CertificateSigningRequestCondition, path: string): FieldError[] {
  const errors = type === '' ? [required(child(path, 'type'))] : [];
  const decision = type === 'Approved' || type === 'Denied' || type === 'Failed';
  const statuses = decision ? ['True'] : ['False', 'True', 'Unknown'];
  if (status === '') errors.push(required(child(path, 'status')));
  else if (!statuses.includes(status)) errors.push(notSupported(child(path, 'status'), status, statuses));
  return errors;
}

/** A decision is never taken back, and an issued certificate stays. */
function validateKeptDecisions(request: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ['Approved', 'Denied', 'Failed']) {
    const has = ({ status }: CertificateSigningRequest) => (status?.conditions ?? []).some((condition) => condition.type === type);
    if (has(old) && !has(request)) errors.push(notAllowed('status.conditions', `updates may not remove a condition of type "${type}"`));
  }
  if (old.status?.certificate && old.status.certificate !== request.status?.certificate)
    errors.push(notAllowed('status.certificate', 'updates may not modify existing certificate content'));
  return errors;
}

function conditionCell({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const decision = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending';
  return `${decision}${types.has('Failed') ? ',Failed' : ''}${status?.certificate ? ',Issued' : ''}`;
}
