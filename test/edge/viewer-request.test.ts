import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { casesAt, RULES } from '../../edge/cases.ts';
import type { RuleName } from '../../edge/cases.ts';
import type { EdgeEvent } from '../../edge/event.ts';
import { loadEdgeFunction, readAnswer } from '../../edge/local/edge-function.ts';
import type { EdgeAnswer } from '../../edge/local/edge-function.ts';
import { viewerRequestSource } from '../../edge/source.ts';
import { runInNjs, whyNoNjs } from './njs.ts';

/** The time in every engine: 2026-11-26 00:00:00 UTC, in milliseconds. */
const NOW = 1_795_651_200_000;

const CASES = casesAt(NOW);

interface RuledEvent {
  readonly rule: RuleName;
  readonly event: EdgeEvent;
}

/** Runs the rules in one engine. */
type Engine = (events: readonly RuledEvent[]) => readonly (EdgeAnswer | undefined)[];

const locally: Engine = (events) => {
  const functions = Object.entries(RULES).map(
    ([name, rule]) => [name, loadEdgeFunction(viewerRequestSource(rule), () => NOW)] as const,
  );
  const loaded = new Map<string, (typeof functions)[number][1]>(functions);
  return events.map(({ rule, event }) => loaded.get(rule)?.(event));
};

const inNjs: Engine = (events) => runInNjs(RULES, events, NOW).map((json) => readAnswer(json));

const EVENTS = new URL('../../edge/events/', import.meta.url);

/** Recorded requests of Chromium and curl, and the expected status, or `passed` if the request continues. */
const RECORDED = {
  'captions.json': 'passed',
  'command-line.json': '403',
  'fetch-from-elsewhere-no-referrer.json': '403',
  'fetch-from-elsewhere.json': '403',
  'fetch-no-referrer.json': 'passed',
  'fetch.json': 'passed',
  'poster.json': 'passed',
  'preflight-from-elsewhere.json': '403',
  'preflight.json': '204',
  'sandboxed-frame.json': '403',
  'typed-address.json': '403',
  'video-from-elsewhere-no-referrer.json': '403',
  'video-from-elsewhere.json': '403',
  'video-no-referrer.json': '403',
  'video-same-site-no-referrer.json': 'passed',
  'video.json': 'passed',
};

/** Tests every case and every recorded event in an engine. The engine runs once for all of them. */
function theRule(engine: Engine): void {
  describe('cases', () => {
    const answers = engine(CASES);
    test.each(CASES.map(({ about, answer }, index) => [about, answer, answers[index]] as const))(
      '%s',
      (_about, expected, answer) => {
        expect(answer).toEqual(expected);
      },
    );
  });

  describe('recorded requests', () => {
    const names = Object.keys(RECORDED);
    const answers = engine(names.map((name) => ({ rule: 'closed', event: recorded(name) })));
    test.each(Object.entries(RECORDED).map((one, index) => [...one, answers[index]] as const))(
      'The recorded request %s is answered: %s',
      (_name, expected, answer) => {
        expect(answer?.kind === 'reply' ? String(answer.reply.status) : 'passed').toBe(expected);
        expect(answer).toBeDefined();
      },
    );
  });
}

function recorded(name: string): EdgeEvent {
  return JSON.parse(readFileSync(new URL(name, EVENTS), 'utf8')) as EdgeEvent;
}

describe('The rule in node:vm', () => theRule(locally));

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

test('The table has every case once, and every recorded event', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(150);
  const distinct = new Set(CASES.map(({ rule, event }) => JSON.stringify([rule, event])));
  expect(distinct.size).toBe(CASES.length);
  expect(readdirSync(EVENTS).sort()).toEqual(Object.keys(RECORDED));
});

test('The edge function uses only syntax that cloudfront-js-2.0 documents', () => {
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
