#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs dist/ as tsc left it, not the bundle.
void import('../dist/base/main.js').then(({ main }) => main({ development: true }));
