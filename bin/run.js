#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// CommonJS, as bin/package.json says: Node starts it sooner.
void require('../dist/bundle/main.cjs').main();
