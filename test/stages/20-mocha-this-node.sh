#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
exec bash test/mocha-on.sh "$(command -v node)"
