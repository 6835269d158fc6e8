import { useState } from 'preact/hooks';
import { messageOf } from './messages.ts';

/** Runs an action that may fail. `busy` is true meanwhile; `problem` is the message of its error. */
export function useAction<Args extends readonly unknown[]>(
  action: (...args: Args) => Promise<void>,
) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = async (...args: Args) => {
    setBusy(true);
    try {
      await action(...args);
      setProblem('');
    } catch (error) {
      setProblem(messageOf(error));
    }
    setBusy(false);
  };
  return { busy, problem, run: (...args: Args) => void run(...args) };
}
