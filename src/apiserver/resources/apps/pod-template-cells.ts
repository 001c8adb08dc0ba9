// The cells that the kinds with a pod template share.
import type { PodTemplateSpec } from '#api/generated/core-v1.ts';
import { containerImages, containerNames } from '../table-cells.ts';

type WithTemplate = { spec?: { template?: PodTemplateSpec } };

export const templateContainersCell = ({ spec }: WithTemplate): string => containerNames(spec?.template?.spec?.containers);
export const templateImagesCell = ({ spec }: WithTemplate): string => containerImages(spec?.template?.spec?.containers);
