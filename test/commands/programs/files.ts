import { mistakeInFile } from '../../../commands/arguments.ts';
import { commandLine, nameOf } from '../../../commands/file-name.ts';
import { printJson } from '../../../commands/terminal.ts';

/** Tells what it makes of the files on its command line. */
for (const file of commandLine()) {
  printJson({ file, name: nameOf(file), mistake: mistakeInFile(file) ?? null });
}
