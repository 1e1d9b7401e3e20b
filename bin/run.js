#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { main } from '../dist/base/main.js';

await main(import.meta.url);
