// X.509 for one cluster: authorities, serving and client certificates, and signing of requests, all ECDSA P-256.
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

export interface PemPair {
  certificate: string;
  key: string;
}

/** A pair whose certificate may sign others. */
export type Authority = PemPair;

export interface Issuing {
  clock: Clock;
  random: Random;
}

export interface Subject {
  commonName: string;
  organizations?: readonly string[];
}

type KeyUsage =
  | 'digital signature'
  | 'key encipherment'
  | 'key agreement'
  | 'content commitment'
  | 'data encipherment'
  | 'cert sign'
  | 'crl sign';
type ExtendedUsage = 'server auth' | 'client auth';

export interface ParsedCertificate extends Required<Subject> {
  serialNumber: string;
  notBeforeMs: number;
  notAfterMs: number;
  dnsNames: string[];
  ipAddresses: string[];
  pem: string;
}

export interface ParsedRequest extends Required<Subject> {
  dnsNames: string[];
  ipAddresses: string[];
  emailAddresses: string[];
  uris: string[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;
/** Clocks of clients may be a little behind. */
const backdateMs = 5 * 60_000;

// Loaded when first used: it costs 100 ms that commands without certificates need not pay.
const x509 = () => import('@peculiar/x509');

export async function createAuthority(options: Issuing & { commonName: string; validDays?: number }): Promise<Authority> {
  const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags, SubjectKeyIdentifierExtension } =
    await x509();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(options.random),
    name: nameOf({ commonName: options.commonName }),
    ...validity(options.clock, (options.validDays ?? 3650) * dayMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: withNewline(certificate.toString('pem')), key: await exportKey(keys.privateKey) };
}

/** A certificate that clients trust for the given names and addresses. */
export function issueServing(
  authority: Authority,
  options: Issuing & Subject & { dnsNames: readonly string[]; ipAddresses: readonly string[]; validDays?: number; client?: boolean },
): Promise<PemPair> {
  return issue(authority, options, options.client ? ['server auth', 'client auth'] : ['server auth'], options);
}

/** A certificate that says who the bearer is: common name = user, organizations = groups. */
export function issueClient(authority: Authority, options: Issuing & Subject & { validDays?: number }): Promise<PemPair> {
  return issue(authority, options, ['client auth'], { dnsNames: [], ipAddresses: [] });
}

async function issue(
  authority: Authority,
  options: Issuing & Subject & { validDays?: number },
  extended: ExtendedUsage[],
  names: { dnsNames: readonly string[]; ipAddresses: readonly string[] },
): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await sign(authority, {
    ...options,
    name: nameOf(options),
    publicKey: keys.publicKey,
    durationMs: (options.validDays ?? 365) * dayMs,
    usages: ['digital signature', 'key encipherment'],
    extended,
    names: [
      ...names.dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...names.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
    ],
  });
  return { certificate, key: await exportKey(keys.privateKey) };
}

/** Signs a PEM request as it stands (subject, names, key); never for longer than the authority itself is valid. */
export async function signRequest(
  authority: Authority,
  requestPem: string,
  options: Issuing & { usages: readonly string[]; durationMs: number },
): Promise<string> {
  const request = await requestFrom(requestPem);
  const parsed = await namesOf(request);
  return sign(authority, {
    ...options,
    name: request.subjectName.toJSON(),
    publicKey: await request.publicKey.export(),
    usages: options.usages.filter((usage): usage is KeyUsage => !usage.endsWith(' auth')),
    extended: options.usages.filter((usage): usage is ExtendedUsage => usage === 'server auth' || usage === 'client auth'),
    names: parsed,
  });
}

interface Signing extends Issuing {
  name: ConstructorParameters<typeof X509.Name>[0];
  publicKey: webcrypto.CryptoKey;
  durationMs: number;
  usages: readonly KeyUsage[];
  extended: readonly ExtendedUsage[];
  names: { type: 'dns' | 'ip' | 'email' | 'url'; value: string }[];
}

async function sign(authority: Authority, options: Signing): Promise<string> {
  const lib = await x509();
  const issuer = new lib.X509Certificate(authority.certificate);
  const { notBefore, notAfter } = validity(options.clock, options.durationMs);
  const extensions: X509.Extension[] = [
    new lib.BasicConstraintsExtension(false, undefined, true),
    await lib.AuthorityKeyIdentifierExtension.create(issuer),
  ];
  const flags = keyUsageFlags(options.usages);
  // One that names no usage would forbid them all.
  if (flags !== 0) extensions.push(new lib.KeyUsagesExtension(flags, true));
  if (options.extended.length > 0) extensions.push(extendedUsage(lib, options.extended));
  if (options.names.length > 0) extensions.push(new lib.SubjectAlternativeNameExtension(options.names));
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serial(options.random),
    subject: options.name as string,
    issuer: issuer.subject,
    notBefore,
    notAfter: notAfter > issuer.notAfter ? issuer.notAfter : notAfter,
    publicKey: options.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: algorithm,
    extensions,
  });
  return withNewline(certificate.toString('pem'));
}

function extendedUsage(lib: typeof X509, usages: readonly ExtendedUsage[]): X509.ExtendedKeyUsageExtension {
  const { serverAuth, clientAuth } = lib.ExtendedKeyUsage;
  return new lib.ExtendedKeyUsageExtension(usages.map((usage) => (usage === 'server auth' ? serverAuth : clientAuth)));
}

/** Bits of RFC 5280's KeyUsage. */
const keyUsageBits: Readonly<Record<string, number>> = {
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
};

function keyUsageFlags(usages: readonly string[]): number {
  return usages.reduce((flags, usage) => flags | (keyUsageBits[usage] ?? 0), 0);
}

/** Reads a certificate request and checks that its sender holds the key. Throws with the reason if not. */
export async function parseRequest(pem: string): Promise<ParsedRequest> {
  const request = await requestFrom(pem);
  if (!(await request.verify())) throw new Error('the signature of the certificate request does not match its key');
  const names = await namesOf(request);
  const of = (type: string) => names.filter((name) => name.type === type).map((name) => name.value);
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    emailAddresses: of('email'),
    uris: of('url'),
  };
}

/** Makes a key and a request for it, as a kubelet does to get its first certificate. */
export async function createRequest(
  subject: Subject,
  names: { dnsNames?: readonly string[]; ipAddresses?: readonly string[] } = {},
): Promise<{ request: string; key: string }> {
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await x509();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const alternatives = [
    ...(names.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys,
    signingAlgorithm: algorithm,
    extensions: alternatives.length > 0 ? [new SubjectAlternativeNameExtension(alternatives)] : [],
  });
  return { request: withNewline(request.toString('pem')), key: await exportKey(keys.privateKey) };
}

/** Subject, names and dates of a certificate in PEM or DER. */
export function parseCertificate(certificate: string | Buffer): ParsedCertificate {
  const parsed = new NodeCertificate(certificate);
  const alternatives = (parsed.subjectAltName ?? '').split(', ').filter((entry) => entry !== '');
  const of = (prefix: string) => alternatives.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  // The legacy object keeps apart what the one-line text would mix up, e.g. a line break in a common name.
  const subject = parsed.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  const list = (field: string) => (subject[field] === undefined ? [] : [subject[field]].flat());
  return {
    commonName: list('CN')[0] ?? '',
    organizations: list('O'),
    serialNumber: parsed.serialNumber.toLowerCase(),
    notBeforeMs: Date.parse(parsed.validFrom),
    notAfterMs: Date.parse(parsed.validTo),
    dnsNames: of('DNS:'),
    ipAddresses: of('IP Address:'),
    pem: parsed.toString(),
  };
}

/** An ECDSA P-256 key pair in PEM, e.g. to sign service account tokens with. */
export async function createKeyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const privateKey = await exportKey(keys.privateKey);
  return { privateKey, publicKey: createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' }) as string };
}

async function requestFrom(pem: string): Promise<X509.Pkcs10CertificateRequest> {
  const { Pkcs10CertificateRequest } = await x509();
  return new Pkcs10CertificateRequest(pem);
}

async function namesOf(request: X509.Pkcs10CertificateRequest): Promise<Signing['names']> {
  const { SubjectAlternativeNameExtension } = await x509();
  const extension = request.getExtension('2.5.29.17');
  if (!extension) return [];
  const names = new SubjectAlternativeNameExtension(extension.rawData).names.toJSON();
  return names.filter((name): name is Signing['names'][number] => ['dns', 'ip', 'email', 'url'].includes(name.type));
}

function nameOf(subject: Subject): { [field: string]: string[] }[] {
  const organizations = (subject.organizations ?? []).map((organization) => ({ O: [organization] }));
  return [...organizations, { CN: [subject.commonName] }];
}

function validity(clock: Clock, durationMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(clock.now() - backdateMs), notAfter: new Date(clock.now() + durationMs) };
}

/** 127 random bits: positive in DER, unique without a counter. */
function serial(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }).export({ type: 'pkcs8', format: 'pem' }) as string;
}

function withNewline(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
