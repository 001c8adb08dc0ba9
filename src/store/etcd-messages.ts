// The messages of etcd.proto as the gRPC library hands them over.

export interface EtcdKeyValue {
  key: Buffer;
  create_revision: number;
  mod_revision: number;
  value: Buffer;
}

interface RangeRequest {
  key: Buffer;
  range_end?: Buffer;
  limit?: number;
  revision?: number;
  count_only?: boolean;
}

interface RangeResponse {
  header: { revision: number };
  kvs: EtcdKeyValue[];
  /** All keys of the range, whatever the limit. */
  count: number;
}

export type RequestOp =
  | { request_range: RangeRequest }
  | { request_put: { key: Buffer; value: Buffer } }
  | { request_delete_range: { key: Buffer } }
  | { request_txn: { success: RequestOp[] } };

interface TxnRequest {
  compare: { result: 'EQUAL'; target: 'MOD'; key: Buffer; mod_revision: number }[];
  success: RequestOp[];
  failure: RequestOp[];
}

interface TxnResponse {
  header: { revision: number };
  succeeded: boolean;
  responses: { response_range?: RangeResponse }[];
}

/** Request and response of every unary call. */
export interface Calls {
  Range: [RangeRequest, RangeResponse];
  Txn: [TxnRequest, TxnResponse];
  Compact: [{ revision: number }, object];
}

export interface WatchCreate {
  key: Buffer;
  range_end: Buffer;
  start_revision: number;
  progress_notify?: boolean;
  prev_kv?: boolean;
}

export interface EtcdEvent {
  type: 'PUT' | 'DELETE';
  kv: EtcdKeyValue;
  prev_kv: EtcdKeyValue | null;
}

export interface WatchResponse {
  header: { revision: number };
  created: boolean;
  canceled: boolean;
  /** Above 0 where the watch was cancelled because its start is compacted. */
  compact_revision: number;
  cancel_reason: string;
  events: EtcdEvent[];
}

export interface SnapshotPart {
  remaining_bytes: number;
  blob: Buffer;
}
