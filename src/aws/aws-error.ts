// An error as an AWS service answers it: a code, a sentence and a status. Each protocol has its own way to write it down.
import type { HttpResponse } from '#lib/http/exchange.ts';
import { xmlDocument } from './xml.ts';

export class AwsError extends Error {
  override name = 'AwsError';
  readonly code: string;
  readonly status: number;
  /** Further members of the modelled exception: `clusterName`, … */
  readonly members: Readonly<Record<string, unknown>>;
  constructor(code: string, status: number, message: string, members: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** REST-JSON: the code in a header, the sentence in the body. */
export function restJsonError(error: AwsError, requestId: string): HttpResponse {
  return {
    status: error.status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code, 'x-amzn-requestid': requestId },
    body: Buffer.from(JSON.stringify({ ...error.members, message: error.message })),
  };
}

/** The query protocol: an XML document. */
export function queryError(error: AwsError, requestId: string, namespace: string): HttpResponse {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  const text = xmlDocument('ErrorResponse', namespace, {
    Error: { Type: type, Code: error.code, Message: error.message },
    RequestId: requestId,
  });
  return { status: error.status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body: Buffer.from(text) };
}
