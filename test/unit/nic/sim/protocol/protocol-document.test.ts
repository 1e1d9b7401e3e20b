// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

/** GitHub's anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replace(/ /g, '-');
}

describe('docs/protocol.md', () => {
  const text = readFileSync('docs/protocol.md', 'utf8');
  const anchors = new Set([...text.matchAll(/^## (.+)$/gm)].map((match) => anchor(match[1]!)));

  it('has every heading that a constant or comment of the device cites', () => {
    const files = readdirSync('src/nic', { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const cited = files.flatMap((name) =>
      [...readFileSync(`src/nic/${name}`, 'utf8').matchAll(/docs\/protocol\.md#([a-z0-9-]+)/g)].map(
        (match) => `${name}: #${match[1]!}`,
      ),
    );
    expect(cited.length).to.be.greaterThan(40);
    expect(cited.filter((citation) => !anchors.has(citation.split('#')[1]!))).to.deep.equal([]);
  });

  it('links only to its own headings, and names a source under each but the list of deviations', () => {
    const links = [...text.matchAll(/\]\(#([a-z0-9-]+)\)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !anchors.has(link))).to.deep.equal([]);
    const sections = text.split(/^## /m).slice(1);
    const without = sections.filter((section) => !/Source: (sheet|RFC)/.test(section.replace(/\s+/g, ' ')));
    expect(without.map((section) => section.split('\n')[0])).to.deep.equal(['Deviations']);
  });
});
