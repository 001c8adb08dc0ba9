// A port given by its number or by its name.
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import { isValidPortName, isValidPortNum } from '#api/meta/names.ts';

export function validatePortNumberOrName(port: number | string, path: string): FieldError[] {
  const complaints = typeof port === 'number' ? isValidPortNum(port) : isValidPortName(port);
  return complaints.map((message) => invalidValue(path, port, message));
}
