// What keks is unless told: the flags' defaults, and how a command knows that a flag was not given.
export const defaultPort = 4577;
export const defaultRegion = 'us-east-1';
