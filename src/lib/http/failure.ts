// What a client gets when a handler threw something that nobody turned into an answer: a Kubernetes Status, without the inside of the server.

export interface FailureBody {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

export type FailureAnswer = (error: unknown) => FailureBody;

/** Errors that carry a Status (ApiError) answer it; everything else is a 500. */
export function answerFailure(error: unknown): FailureBody {
  const carried = (error as { status?: { kind?: string; code?: number } } | undefined)?.status;
  const status =
    carried?.kind === 'Status' && typeof carried.code === 'number'
      ? carried
      : {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'Internal error occurred: the request failed; see the log of the server',
          reason: 'InternalError',
          code: 500,
        };
  return { status: status.code!, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(status)) };
}
