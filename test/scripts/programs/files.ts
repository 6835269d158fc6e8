import { mistakeInFile } from '../../../scripts/cli/arguments.ts';
import { commandLine, nameOf } from '../../../scripts/cli/file-name.ts';
import { printJson } from '../../../scripts/cli/terminal.ts';

/** Tells what it makes of the files on its command line. */
for (const file of commandLine()) {
  printJson({ file, name: nameOf(file), mistake: mistakeInFile(file) ?? null });
}
