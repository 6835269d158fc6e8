import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { viewerRequestSource } from '../../edge/source.ts';
import { loadEdgeFunction, readAnswer } from '../../edge/local/edge-function.ts';
import type { EdgeAnswer } from '../../edge/local/edge-function.ts';
import { casesAt, RULES } from '../../edge/cases.ts';
import type { RuleName } from '../../edge/cases.ts';
import type { EdgeEvent } from '../../edge/event.ts';
import { runInNjs, whyNoNjs } from './njs.ts';

/** Each engine's clock stands at 2026-11-26 00:00:00 UTC, in milliseconds. */
const NOW = 1_795_651_200_000;

const CASES = casesAt(NOW);

interface Asked {
  readonly rule: RuleName;
  readonly event: EdgeEvent;
}

/** What the rules answer, in one engine. */
type Engine = (asked: readonly Asked[]) => readonly (EdgeAnswer | undefined)[];

const locally: Engine = (asked) => {
  const functions = Object.entries(RULES).map(
    ([name, rule]) => [name, loadEdgeFunction(viewerRequestSource(rule), () => NOW)] as const,
  );
  const loaded = new Map<string, (typeof functions)[number][1]>(functions);
  return asked.map(({ rule, event }) => loaded.get(rule)?.(event));
};

const inNjs: Engine = (asked) => runInNjs(RULES, asked, NOW).map((json) => readAnswer(json));

const EVENTS = new URL('../../edge/events/', import.meta.url);

/** What Chromium and curl send, and whether the site's rule lets it go on. */
const RECORDED = {
  'captions.json': 'goes on',
  'command-line.json': '403',
  'fetch-from-elsewhere-no-referrer.json': '403',
  'fetch-from-elsewhere.json': '403',
  'fetch-no-referrer.json': 'goes on',
  'fetch.json': 'goes on',
  'poster.json': 'goes on',
  'preflight-from-elsewhere.json': '403',
  'preflight.json': '204',
  'sandboxed-frame.json': '403',
  'typed-address.json': '403',
  'video-from-elsewhere-no-referrer.json': '403',
  'video-from-elsewhere.json': '403',
  'video-no-referrer.json': '403',
  'video-same-site-no-referrer.json': 'goes on',
  'video.json': 'goes on',
};

/** Every case and every recorded event in that engine, each in one run for all. */
function theRule(engine: Engine): void {
  describe('answers', () => {
    const answers = engine(CASES);
    test.each(CASES.map(({ about, answer }, index) => [about, answer, answers[index]] as const))(
      '%s',
      (_about, expected, answer) => {
        expect(answer).toEqual(expected);
      },
    );
  });

  describe('lets what Chromium and curl sent go on, or not', () => {
    const names = Object.keys(RECORDED);
    const answers = engine(names.map((name) => ({ rule: 'closed', event: recorded(name) })));
    test.each(Object.entries(RECORDED).map((one, index) => [...one, answers[index]] as const))(
      '%s: %s',
      (_name, expected, answer) => {
        expect(answer?.kind === 'reply' ? String(answer.reply.status) : 'goes on').toBe(expected);
        expect(answer).toBeDefined();
      },
    );
  });
}

function recorded(name: string): EdgeEvent {
  return JSON.parse(readFileSync(new URL(name, EVENTS), 'utf8')) as EdgeEvent;
}

describe('The rule in the local edge', () => theRule(locally));

describe.skipIf(whyNoNjs !== undefined)(`The rule in njs${whyNoNjs ? `: ${whyNoNjs}` : ''}`, () => {
  if (whyNoNjs === undefined) theRule(inNjs);

  test('A request that is passed on differs from the original in its path only', () => {
    const passed = CASES.filter(({ answer }) => answer.kind === 'request');
    const requests = runInNjs(RULES, passed, NOW).map((json) => JSON.parse(json) as unknown);
    expect(requests).toEqual(
      passed.map(({ event: { request }, answer }) => ({
        ...request,
        uri: answer.kind === 'request' ? answer.uri : undefined,
      })),
    );
  });
});

test('The table has what it had, each case once', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(150);
  const asked = new Set(CASES.map(({ rule, event }) => JSON.stringify([rule, event])));
  expect(asked.size).toBe(CASES.length);
  expect(readdirSync(EVENTS).sort()).toEqual(Object.keys(RECORDED));
});

test('The rule is written in the part of JavaScript that cloudfront-js-2.0 documents', () => {
  // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
  const undocumented = new Set([
    ts.SyntaxKind.ObjectBindingPattern,
    ts.SyntaxKind.ArrayBindingPattern,
    ts.SyntaxKind.SpreadElement,
    ts.SyntaxKind.SpreadAssignment,
    ts.SyntaxKind.ForOfStatement,
    ts.SyntaxKind.ClassDeclaration,
    ts.SyntaxKind.ClassExpression,
    ts.SyntaxKind.QuestionDotToken,
    ts.SyntaxKind.QuestionQuestionToken,
    ts.SyntaxKind.YieldExpression,
    ts.SyntaxKind.NewExpression,
    ts.SyntaxKind.ImportDeclaration,
  ]);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    const defaultValue = ts.isParameter(node) && node.initializer !== undefined;
    const bareCatch = ts.isCatchClause(node) && node.variableDeclaration === undefined;
    const nested = ts.isFunctionDeclaration(node) && !ts.isSourceFile(node.parent);
    if (undocumented.has(node.kind) || defaultValue || bareCatch || nested)
      found.push(node.getText());
    node.forEachChild(visit);
  };
  const source = viewerRequestSource(RULES.tokens);
  const file = ts.createSourceFile('viewer-request.js', source, ts.ScriptTarget.ESNext, true);
  visit(file);
  expect(file.statements.length).toBeGreaterThan(1);
  expect(found).toEqual([]);
});
