// What a home remembers of its clusters' subnets and its machines: small JSON files, written whole or not at all.
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface MachineRecord {
  id: string;
  cluster: string;
  address: string;
  /** The machine's blocks of pod addresses, see subnet-plan.ts. */
  block: number;
  blockCount: number;
  pauseImported?: boolean;
}

export interface ClusterRecord {
  cluster: string;
  /** The VPC subnet, a /20. */
  subnet: string;
}

export const clusterDirectory = (home: string, cluster: string): string => join(home, 'machines', cluster);
export const machineDirectory = (home: string, cluster: string, id: string): string => join(clusterDirectory(home, cluster), id);

export async function readClusters(home: string): Promise<ClusterRecord[]> {
  const records: ClusterRecord[] = [];
  for (const cluster of await namesIn(join(home, 'machines'))) {
    const record = await readJson<ClusterRecord>(join(clusterDirectory(home, cluster), 'cluster.json'));
    if (record !== undefined) records.push(record);
  }
  return records;
}

export async function readMachines(home: string, cluster: string): Promise<MachineRecord[]> {
  const records: MachineRecord[] = [];
  for (const id of await namesIn(clusterDirectory(home, cluster))) {
    const record = await readJson<MachineRecord>(join(machineDirectory(home, cluster, id), 'machine.json'));
    if (record !== undefined) records.push(record);
  }
  return records;
}

export async function writeCluster(home: string, record: ClusterRecord): Promise<void> {
  await writeJson(clusterDirectory(home, record.cluster), 'cluster.json', record);
}

export async function writeMachine(home: string, record: MachineRecord): Promise<void> {
  await writeJson(machineDirectory(home, record.cluster, record.id), 'machine.json', record);
}

export async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

async function writeJson(directory: string, name: string, value: object): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, `${name}.new`), JSON.stringify(value));
  await rename(join(directory, `${name}.new`), join(directory, name));
}

/** Undefined if the file is not there; a broken one is an error that names it. */
async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${path} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
