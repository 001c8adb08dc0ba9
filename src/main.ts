// flags → config → run. The commands are in cli/.
import { keepAliveDuring } from '#lib/keep-alive.ts';
import { runCommandLine } from './cli/program.ts';

process.exitCode = await keepAliveDuring(runCommandLine(process.argv.slice(2)));
