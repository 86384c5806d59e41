// Copyright (C) ngx_realtime contributors

/*
 * Plain TAP, for prove: a line for each test when it ends, and what went
 * wrong as diagnostics.  That of vitest puts it into YAML which Perl's parser
 * refuses, and the message is lost.
 */

import type {
  Reporter,
  SerializedError,
  TestCase,
  TestModule,
  TestSuite,
} from 'vitest/node';

export default class Tap implements Reporter {
  private count = 0;

  private result(ok: boolean, name: string, skip = ''): void {
    const plain = name.replace(/[#\n]/g, ' ');

    this.count++;
    process.stdout.write(
      `${ok ? 'ok' : 'not ok'} ${this.count} - ${plain}${skip}\n`,
    );

    if (!ok) {
      this.diagnostic(`Failed: ${plain}`);
    }
  }

  private tell(errors: readonly SerializedError[]): void {
    for (const { message, stack, diff, cause } of errors) {
      this.diagnostic(message);
      this.diagnostic(diff);
      this.diagnostic(
        stack
          ?.split('\n')
          .filter((line) => /^ +at /.test(line) && !/node_modules/.test(line))
          .join('\n'),
      );

      if (cause) {
        this.diagnostic('because of');
        this.tell([cause as SerializedError]);
      }
    }
  }

  /* to where prove shows it without -v */

  private diagnostic(text: unknown): void {
    if (typeof text === 'string' && text.trim() !== '') {
      process.stderr.write(`${text.trimEnd().replace(/^/gm, '# ')}\n`);
    }
  }

  private group(one: TestModule | TestSuite, name: string): void {
    if (one.errors().length > 0) {
      this.result(false, name);
      this.tell(one.errors());
    }
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    const name = `${test.module.relativeModuleId} ${test.fullName}`;

    if (state === 'skipped') {
      this.result(true, name, ' # SKIP');
      return;
    }

    this.result(state === 'passed', name);
    this.tell(errors);
  }

  /* of what runs before and after the tests, and of a file with none */

  onTestSuiteResult(suite: TestSuite): void {
    this.group(suite, suite.fullName);
  }

  onTestModuleEnd(module: TestModule): void {
    this.group(module, module.relativeModuleId);
  }

  onTestRunEnd(
    _: readonly TestModule[],
    unhandled: readonly SerializedError[],
  ): void {
    if (unhandled.length > 0) {
      this.result(false, 'nothing throws outside of the tests');
      this.tell(unhandled);
    }

    process.stdout.write(`1..${this.count}\n`);
  }
}
