// Instance types as one compact table: ENIs, addresses per ENI, vCPUs, memory, architecture.
// The inputs know no vCPUs and memory for the newest types: those are read off the size and the family's relatives.

type Row = Record<string, string>;

/** `type: [ENIs, IPv4 per ENI, vCPUs, memory MiB, architecture]`; 0 where nothing is known. */
export function instanceTypesJson(rows: Row[]): string {
  const memoryPerCpu = new Map<string, number>();
  for (const row of rows) {
    if (row.vcpus && row.bare_metal === 'False') memoryPerCpu.set(familyOf(row), Number(row.memory_mib) / Number(row.vcpus));
  }
  const lines = rows.map((row) => {
    const [cpus, memory] = row.vcpus ? [Number(row.vcpus), Number(row.memory_mib)] : derive(row, memoryPerCpu);
    const entry = [Number(row.max_enis), Number(row.ipv4_per_eni), cpus, memory, architectureOf(row)];
    return `${JSON.stringify(row.instance_type)}:${JSON.stringify(entry)}`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

function familyOf(row: Row): string {
  return row.instance_type!.split('.')[0]!;
}

/** `12xlarge` has 48 vCPUs; memory per vCPU is that of the family, of an older generation of it, or of its letter. */
function derive(row: Row, memoryPerCpu: Map<string, number>): [number, number] {
  const size = row.instance_type!.split('.')[1]!;
  const cpus = cpusOfSize(size);
  if (cpus === 0) return [0, 0];
  const ratio = ratioOf(familyOf(row), memoryPerCpu);
  return ratio === undefined ? [0, 0] : [cpus, cpus * ratio];
}

function cpusOfSize(size: string): number {
  const fixed: Record<string, number> = { medium: 1, large: 2, xlarge: 4 };
  const times = /^(?:metal-)?(\d+)x(?:large|l)$/.exec(size);
  return times ? Number(times[1]) * 4 : (fixed[size] ?? 0);
}

function ratioOf(family: string, memoryPerCpu: Map<string, number>): number | undefined {
  const parts = /^([a-z]+)(\d+)(.*)$/.exec(family);
  if (parts === null) return memoryPerCpu.get(family);
  const [, letters, generation, rest] = parts;
  for (let g = Number(generation); g > 0; g--) {
    for (const suffix of [rest!, rest!.replace(/[dnb]+$/, ''), 'g', 'i', 'a']) {
      const ratio = memoryPerCpu.get(`${letters}${g}${suffix}`);
      if (ratio !== undefined) return ratio;
    }
  }
  return undefined;
}

function architectureOf(row: Row): 'amd64' | 'arm64' {
  if (row.architectures) return row.architectures.includes('arm64') ? 'arm64' : 'amd64';
  return /^[a-z]+\d+[a-z]*g[a-z]*\./.test(row.instance_type!) && !row.instance_type!.startsWith('g') ? 'arm64' : 'amd64';
}
