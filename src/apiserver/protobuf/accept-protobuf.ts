// Lets clients send bodies as protobuf, as kubectl and most Go clients do for built-in kinds: the handler behind sees JSON. Answers stay JSON,
// which all of them accept too.
import { badRequest } from '#api/meta/errors.ts';
import { answerFailure } from '#lib/http/failure.ts';
import type { HttpHandler, HttpRequest } from '#lib/http/exchange.ts';
import { decodeObject, ProtobufError } from './decode-message.ts';

const protobufType = 'application/vnd.kubernetes.protobuf';

export function acceptProtobuf(handler: HttpHandler): HttpHandler {
  return async (request) => {
    const mediaType = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
    if (mediaType !== protobufType || request.method === 'PATCH') return await handler(request);
    try {
      return await handler(asJson(request));
    } catch (error) {
      if (error instanceof ProtobufError) return answerFailure(badRequest(error.message));
      throw error;
    }
  };
}

function asJson(request: HttpRequest): HttpRequest {
  const { body } = request;
  const json: HttpRequest = {
    ...request,
    headers: { ...request.headers, 'content-type': 'application/json' },
    async body(limitBytes) {
      const bytes = await body.call(request, limitBytes);
      if (bytes.length === 0) return bytes;
      try {
        return Buffer.from(JSON.stringify(decodeObject(bytes)));
      } catch (error) {
        throw error instanceof ProtobufError ? badRequest(error.message) : error;
      }
    },
  };
  return json;
}
