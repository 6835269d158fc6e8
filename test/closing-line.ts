import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a run with one plain line for scripts, `N passed, N failed, N skipped`, after a line for each skipped suite, whose
 * name tells the reason.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    console.log();
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      for (const suite of module.children.suites()) {
        if (suite.options.mode === 'skip') console.log(`Skipped: ${suite.name}.`);
      }
      if (module.errors().length > 0) counts.failed += 1;
    }
    const skipped = counts.skipped + counts.pending;
    const tail = skipped > 0 ? `, ${skipped} skipped` : '';
    console.log(`${counts.passed} passed, ${counts.failed} failed${tail}`);
  }
}
