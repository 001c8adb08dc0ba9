// The admission plugins, in the order in which they see a request.
import type { AdmissionPlugin } from './plugin.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';

export const admissionOrder: readonly AdmissionPlugin[] = [namespaceLifecycle];
