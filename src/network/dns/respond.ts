// From a question's bytes to an answer's: the cluster's names from the zone, all others from the host's resolvers.
import type { Answer, Packet, Question } from 'dns-packet';
import { AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, RECURSION_DESIRED, decode, encode } from 'dns-packet';
import type { Random } from '#lib/random.ts';
import type { ZoneView } from './zone.ts';
import { resolve, ttlSeconds } from './zone.ts';

export interface RespondOptions {
  view: ZoneView;
  random: Random;
  /** The answer of a resolver outside; undefined when there is none to ask. Rejects when none answers. */
  forward: ((query: Buffer) => Promise<Buffer>) | undefined;
}

const plainUdpBytes = 512;
/** What CoreDNS offers: larger answers go over TCP, as fragments get lost. */
const maxUdpBytes = 1232;

/** Undefined for what is no question at all: nobody gets an answer to noise. */
export async function respond(options: RespondOptions, bytes: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
  let query: Packet;
  try {
    query = decode(bytes);
  } catch {
    return undefined;
  }
  const question = query.questions?.[0];
  if (query.type !== 'query') return undefined;
  if (question === undefined || query.questions!.length > 1) return encodeReply(query, { rcode: 'FORMERR' }, transport);
  if (query.opcode !== 'QUERY') return encodeReply(query, { rcode: 'NOTIMP' }, transport);
  const answer = resolve(options.view, question);
  if (answer.kind === 'elsewhere') return forward(options, query, bytes, transport);
  if (answer.kind === 'answers') {
    const answers = shuffle(answer.answers, options.random);
    const followed = await followAlias(options, question, answers);
    return encodeReply(query, { answers: [...answers, ...followed], additionals: answer.additionals }, transport);
  }
  const rcode = answer.kind === 'noName' ? 'NXDOMAIN' : 'NOERROR';
  return encodeReply(query, { rcode, authorities: [authority(options.view.domain)] }, transport);
}

async function forward(options: RespondOptions, query: Packet, bytes: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
  if (options.forward === undefined) return encodeReply(query, { rcode: 'REFUSED' }, transport);
  try {
    const reply = Buffer.from(await options.forward(bytes));
    reply.writeUInt16BE(query.id ?? 0, 0);
    return reply.length > sizeLimit(query, transport) ? encodeReply(query, { truncated: true }, transport) : reply;
  } catch {
    return encodeReply(query, { rcode: 'SERVFAIL' }, transport);
  }
}

/** What an ExternalName points to, as far as it can be found: resolvers in pods do not ask again. */
async function followAlias(options: RespondOptions, question: Question, answers: Answer[]): Promise<Answer[]> {
  const alias = answers[0];
  if (alias?.type !== 'CNAME' || question.type === 'CNAME') return [];
  const next = { name: alias.data as string, type: question.type };
  const inside = resolve(options.view, next);
  if (inside.kind === 'answers') return inside.answers;
  if (inside.kind !== 'elsewhere' || options.forward === undefined) return [];
  try {
    const query = encode({ type: 'query', id: Math.floor(options.random.next() * 65536), flags: RECURSION_DESIRED, questions: [next] });
    return decode(await options.forward(query)).answers ?? [];
  } catch {
    return [];
  }
}

interface Reply {
  rcode?: string;
  answers?: Answer[];
  authorities?: Answer[];
  additionals?: Answer[];
  truncated?: boolean;
}

const rcodes: Record<string, number> = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 };
const truncatedFlag = 1 << 9;

function encodeReply(query: Packet, reply: Reply, transport: 'udp' | 'tcp'): Buffer {
  const edns = query.additionals?.find(({ type }) => type === 'OPT');
  const own = ['NOERROR', 'NXDOMAIN', undefined].includes(reply.rcode) && !reply.truncated;
  const flags =
    (own ? AUTHORITATIVE_ANSWER : 0) | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED) | rcodes[reply.rcode ?? 'NOERROR']!;
  const opt: Answer[] = edns
    ? [{ type: 'OPT', name: '.', udpPayloadSize: maxUdpBytes, extendedRcode: 0, ednsVersion: 0, flags: 0, options: [] }]
    : [];
  const packet: Packet = {
    type: 'response',
    id: query.id ?? 0,
    flags: flags | (reply.truncated ? truncatedFlag : 0),
    questions: query.questions ?? [],
    answers: reply.answers ?? [],
    authorities: reply.authorities ?? [],
    additionals: [...(reply.additionals ?? []), ...opt],
  };
  const limit = sizeLimit(query, transport);
  const bytes = encode(packet);
  return bytes.length <= limit ? bytes : shortened({ ...packet, authorities: [], additionals: opt }, limit);
}

/** As many answers as there is room for: resolvers that do not ask again over TCP work with those. */
function shortened(packet: Packet, limit: number): Buffer {
  let room = limit - encode({ ...packet, answers: [] }).length;
  const emptyBytes = encode({ type: 'response' }).length;
  const answers: Answer[] = [];
  for (const answer of packet.answers ?? []) {
    room -= encode({ type: 'response', answers: [answer] }).length - emptyBytes;
    if (room < 0) return encode({ ...packet, answers, flags: packet.flags! | truncatedFlag });
    answers.push(answer);
  }
  return encode(packet);
}

function sizeLimit(query: Packet, transport: 'udp' | 'tcp'): number {
  if (transport === 'tcp') return 65_535;
  const offered = query.additionals?.find(({ type }) => type === 'OPT')?.udpPayloadSize ?? plainUdpBytes;
  return Math.min(Math.max(offered, plainUdpBytes), maxUdpBytes);
}

/** Resolvers remember by it that a name is not there. */
function authority(domain: string): Answer {
  const data = {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttlSeconds,
  };
  return { name: domain, type: 'SOA', ttl: ttlSeconds, data };
}

/** Clients take the first address: each gets another one. */
function shuffle(answers: Answer[], random: Random): Answer[] {
  const shuffled = [...answers];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}
