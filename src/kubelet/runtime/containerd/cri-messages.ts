// The messages of cri.proto as they come out of and go into the decoder.

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

interface PodSandboxMetadata {
  name: string;
  uid: string;
  namespace: string;
  attempt: number;
}

export interface NamespaceOption {
  network: number;
  pid: number;
  ipc: number;
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata;
  hostname: string;
  log_directory: string;
  dns_config?: { servers: string[]; searches: string[]; options: string[] };
  port_mappings: { protocol: number; container_port: number; host_port: number; host_ip: string }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  linux: {
    cgroup_parent: string;
    sysctls: Record<string, string>;
    security_context: {
      namespace_options: NamespaceOption;
      run_as_user?: { value: number };
      run_as_group?: { value: number };
      readonly_rootfs: boolean;
      supplemental_groups: number[];
      privileged: boolean;
      seccomp: { profile_type: number };
    };
  };
}

export interface ContainerConfig {
  metadata: { name: string; attempt: number };
  image: { image: string };
  command: string[];
  args: string[];
  working_dir: string;
  envs: { key: string; value: string }[];
  mounts: { container_path: string; host_path: string; readonly: boolean; propagation: number }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  log_path: string;
  stdin: boolean;
  stdin_once: boolean;
  tty: boolean;
  linux: {
    resources: {
      cpu_period: number;
      cpu_quota: number;
      cpu_shares: number;
      memory_limit_in_bytes: number;
      oom_score_adj: number;
    };
    security_context: {
      capabilities: { add_capabilities: string[]; drop_capabilities: string[] };
      privileged: boolean;
      namespace_options: NamespaceOption;
      run_as_user?: { value: number };
      run_as_group?: { value: number };
      readonly_rootfs: boolean;
      supplemental_groups: number[];
      no_new_privs: boolean;
      masked_paths: string[];
      readonly_paths: string[];
      seccomp: { profile_type: number };
    };
  };
}

export interface Filter {
  id?: string;
  label_selector?: Record<string, string>;
}

export interface PodSandbox {
  id: string;
  metadata: PodSandboxMetadata;
  state: number;
  created_at: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface PodSandboxStatus {
  id: string;
  network: { ip: string; additional_ips: { ip: string }[] } | null;
}

export interface Container {
  id: string;
  pod_sandbox_id: string;
  state: number;
  labels: Record<string, string>;
}

export interface ContainerStatus {
  id: string;
  metadata: { name: string; attempt: number };
  state: number;
  created_at: number;
  started_at: number;
  finished_at: number;
  exit_code: number;
  image: { image: string } | null;
  image_ref: string;
  reason: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  log_path: string;
}

export interface Image {
  id: string;
  repo_tags: string[];
  repo_digests: string[];
  size: number;
  uid: Value | null;
  username: string;
}

interface Value {
  value: number;
}

export interface ContainerStats {
  attributes: { id: string; metadata: { name: string } };
  cpu: { usage_core_nano_seconds: Value | null } | null;
  memory: { working_set_bytes: Value | null; usage_bytes: Value | null } | null;
  writable_layer: { used_bytes: Value | null } | null;
}

export interface PodSandboxStats {
  attributes: { id: string; metadata: PodSandboxMetadata };
  linux: {
    network: { default_interface: { rx_bytes: Value | null; tx_bytes: Value | null } | null } | null;
    containers: ContainerStats[];
  } | null;
}
