// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { closest } from '../errors/closest.js';

/** A schema of the folder schemas/, by its file name without `.json`. */
export type SchemaName = 'result.v1' | 'scenario.v1' | 'config.v1';

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  [key: string]: unknown;
}

const compiled = new Map<SchemaName, ValidateFunction>();

/** The schema itself, read from the package. */
export function readSchema(name: SchemaName): JsonSchema {
  const file = new URL(`../../schemas/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as JsonSchema;
}

async function validatorOf(name: SchemaName): Promise<ValidateFunction> {
  const known = compiled.get(name);
  if (known) return known;
  // The names that Node finds in a CommonJS package are not there when it is bundled; the default export always is.
  const { default: ajvPackage } = await import('ajv');
  const ajv = new ajvPackage.Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
  });
  const validator = ajv.compile(readSchema(name));
  compiled.set(name, validator);
  return validator;
}

/**
 * Checks a value against a schema of schemas/. Resolves to one sentence per fault, each naming the place
 * (`hosts[0].name`); an unknown key comes with the nearest known one and the allowed ones. Empty means valid.
 */
export async function validate(name: SchemaName, value: unknown): Promise<string[]> {
  const validator = await validatorOf(name);
  if (validator(value)) return [];
  const sentences = withoutBranches(validator.errors ?? []).map(sentenceOf);
  return [...new Set(sentences)];
}

/** A JSON pointer as people write it: /hosts/0/name is hosts[0].name. */
export function placeOf(pointer: string): string {
  let place = '';
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(part)) place += `[${part}]`;
    else place += place === '' ? part : `.${part}`;
  }
  return place;
}

/** Under a oneOf or anyOf every branch complains; keep the complaints of the branch that came nearest. */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const choice of errors) {
    if (choice.keyword !== 'oneOf' && choice.keyword !== 'anyOf') continue;
    const branches = new Map<string, ErrorObject[]>();
    for (const error of kept) {
      const prefix = `${choice.schemaPath}/`;
      if (error === choice || !error.schemaPath.startsWith(prefix)) continue;
      if (!error.instancePath.startsWith(choice.instancePath)) continue;
      const branch = error.schemaPath.slice(prefix.length).split('/')[0]!;
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const all = [...branches.values()];
    const onlyMissing = all.length > 0 && all.every((b) => b.length === 1 && b[0]!.keyword === 'required');
    const nearest =
      onlyMissing || all.length === 0 ? [] : all.reduce((a, b) => (missDepth(b) > missDepth(a) ? b : a));
    const dropped = new Set(all.flat().filter((error) => !nearest.includes(error)));
    if (nearest.length > 0) dropped.add(choice);
    kept = kept.filter((error) => !dropped.has(error));
    if (onlyMissing)
      choice.params = { ...choice.params, missing: all.map((b) => String(b[0]!.params['missingProperty'])) };
  }
  return kept;
}

/** How far a branch got: a wrong constant means it was never meant, fewer faults mean it was nearer. */
function missDepth(branch: readonly ErrorObject[]): number {
  return -branch.length - (branch.some((error) => error.keyword === 'const') ? 1000 : 0);
}

function sentenceOf(error: ErrorObject): string {
  const place = placeOf(error.instancePath);
  const at = place === '' ? '' : `${place}: `;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params['additionalProperty'] ?? params['unevaluatedProperty']);
      const parent = error.parentSchema as JsonSchema | undefined;
      return `${at}${unknownKey(key, Object.keys(parent?.properties ?? {}))}`;
    }
    case 'required':
      return `${at}'${String(params['missingProperty'])}' is missing`;
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(String);
      const near = closest(String(error.data), allowed);
      return `${at}${show(error.data)} is none of ${allowed.join(', ')}${near ? `; did you mean ${near}?` : ''}`;
    }
    case 'const':
      return `${at}${show(error.data)} must be ${show(params['allowedValue'])}`;
    case 'type':
      return `${at}${show(error.data)} must be ${typeWords(params['type'])}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `${at}${show(error.data)} must be ${String(params['comparison'])} ${String(params['limit'])}`;
    case 'oneOf':
      if (Array.isArray(params['missing']))
        return `${at}exactly one of ${params['missing'].join(', ')} is needed`;
      return `${at}must match exactly one of the allowed forms`;
    default:
      return `${at}${show(error.data)} ${error.message ?? 'is not valid'}`;
  }
}

/** Sentence for a key that is not known. */
export function unknownKey(key: string, allowed: readonly string[]): string {
  const near = closest(key, allowed);
  const shown = allowed.filter((name) => name !== '$schema').join(', ');
  return `unknown key '${key}'${near ? `; did you mean '${near}'?` : ''} (allowed: ${shown})`;
}

function typeWords(type: unknown): string {
  const names = (Array.isArray(type) ? type : String(type).split(',')).map(String);
  return names
    .map((name) => (/^[aeio]/.test(name) ? `an ${name}` : name === 'null' ? 'null' : `a ${name}`))
    .join(' or ');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
