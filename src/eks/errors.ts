// EKS failures: the service's modelled exceptions, with the status that AWS' model gives each.
import { AwsError } from '#aws/aws-error.ts';
import type { OperationName } from './generated/types.ts';
import { errorStatusOf, operations } from './model.ts';

/** What an exception is about, beside its sentence. */
export interface Subject {
  clusterName?: string;
  nodegroupName?: string;
}

export function eksError(code: string, message: string, subject: Subject = {}): AwsError {
  return new AwsError(code, errorStatusOf(code), message, { ...subject });
}

export const invalidParameter = (message: string, subject?: Subject): AwsError => eksError('InvalidParameterException', message, subject);
export const invalidRequest = (message: string, subject?: Subject): AwsError => eksError('InvalidRequestException', message, subject);
export const resourceInUse = (message: string, subject?: Subject): AwsError => eksError('ResourceInUseException', message, subject);
const resourceNotFound = (message: string, subject?: Subject): AwsError => eksError('ResourceNotFoundException', message, subject);

export function noCluster(name: string): AwsError {
  return resourceNotFound(`No cluster found for name: ${name}.`, { clusterName: name });
}

export function noNodegroup(clusterName: string, nodegroupName: string): AwsError {
  return resourceNotFound(`No node group found for name: ${nodegroupName}.`, { clusterName, nodegroupName });
}

export function noUpdate(updateId: string, subject: Subject): AwsError {
  return resourceNotFound(`No update found for ID: ${updateId}`, subject);
}

/** The operation's own way to say: this cannot be asked yet. Client errors first, as SDKs retry the others. */
export function notThereYet(operation: OperationName): AwsError {
  const { errors } = operations[operation];
  const order = ['InvalidRequestException', 'ClientException', 'InvalidParameterException', 'BadRequestException'];
  const code = order.find((candidate) => errors.includes(candidate)) ?? 'ServerException';
  return eksError(code, `${operation} is not there yet in keks`);
}

/** A parameter that keks does not act on yet is refused rather than ignored. */
export function parameterNotThereYet(parameter: string, subject?: Subject): AwsError {
  return invalidParameter(`${parameter} is not there yet in keks`, subject);
}
