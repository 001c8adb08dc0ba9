// The sandbox's image, made here so that no registry is needed before the first pod.
import { ociArchitecture, writeImageArchive } from '../registry/image-archive.ts';
import { pauseProgram } from './pause-program.ts';

export const pauseImage = 'keks.local/pause:1';

export function pauseImageArchive(): Buffer {
  return writeImageArchive({
    name: pauseImage,
    architecture: ociArchitecture(),
    layers: [[{ path: 'pause', data: pauseProgram(process.arch), mode: 0o755 }]],
    entrypoint: ['/pause'],
    env: [],
  });
}
