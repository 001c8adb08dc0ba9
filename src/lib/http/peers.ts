// Whose client certificate counts: one that an authority of ours signed for client authentication and that is valid now.
// TLS itself lets every client in, so nothing but this file decides what a certificate is worth.
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.ts';

export interface Peers {
  /** Checks the chain that the peer presented, once a connection; `owner` is what later asks for it. */
  remember(owner: object, socket: TLSSocket): void;
  /** The certificate (DER) if it was found good and is not out of date by now. */
  certificateOf(owner: object): Buffer | undefined;
}

interface Verified {
  der: Buffer;
  notBeforeMs: number;
  notAfterMs: number;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';
const maxChain = 4;

/** `authorities`: PEM, each with any number of certificates. */
export function createPeers(authorities: readonly string[], clock: Clock): Peers {
  const roots = authorities.flatMap(parseAll);
  const verified = new WeakMap<object, Verified>();
  return {
    remember(owner, socket) {
      if (roots.length === 0) return;
      const leaf = socket.getPeerX509Certificate();
      const good = leaf && verify(leaf, roots);
      if (good) verified.set(owner, good);
    },
    certificateOf(owner) {
      const found = verified.get(owner);
      const now = clock.now();
      return found && now >= found.notBeforeMs && now <= found.notAfterMs ? found.der : undefined;
    },
  };
}

function verify(leaf: X509Certificate, roots: readonly X509Certificate[]): Verified | undefined {
  const usages = leaf.keyUsage as string[] | undefined;
  if (leaf.ca || (usages && !usages.includes(clientAuth))) return undefined;
  let notBeforeMs = Date.parse(leaf.validFrom);
  let notAfterMs = Date.parse(leaf.validTo);
  let current: X509Certificate = leaf;
  for (let depth = 0; depth < maxChain; depth++) {
    const root = roots.find((candidate) => signed(candidate, current));
    const issuer = root ?? presentedIssuer(current);
    if (!issuer) return undefined;
    notBeforeMs = Math.max(notBeforeMs, Date.parse(issuer.validFrom));
    notAfterMs = Math.min(notAfterMs, Date.parse(issuer.validTo));
    if (root) return { der: leaf.raw, notBeforeMs, notAfterMs };
    current = issuer;
  }
  return undefined;
}

function presentedIssuer(certificate: X509Certificate): X509Certificate | undefined {
  const issuer = certificate.issuerCertificate;
  return issuer?.ca && signed(issuer, certificate) && issuer.fingerprint256 !== certificate.fingerprint256 ? issuer : undefined;
}

function signed(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function parseAll(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
