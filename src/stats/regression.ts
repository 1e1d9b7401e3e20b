// SPDX-License-Identifier: Apache-2.0
import { linearRegression, linearRegressionLine, rSquared } from 'simple-statistics';

/** y = slope * x + intercept; `r2` is the share of the variance of y that the line explains. */
export interface LinearFit {
  slope: number;
  intercept: number;
  r2: number;
}

/**
 * The least-squares line through points [x, y]; the slope is in y units per x unit. Throws RangeError when the
 * points do not have at least two different x, because no line is then better than another.
 */
export function linearFit(points: readonly (readonly [number, number])[]): LinearFit {
  const first = points[0];
  if (first === undefined || points.every(([x]) => x === first[0])) {
    throw new RangeError('a line needs points at two or more different x');
  }
  const pairs = points.map(([x, y]) => [x, y]);
  const line = linearRegression(pairs);
  // With all y equal the line is exact, while the ratio of squares behind r2 would be 0/0.
  const flat = points.every(([, y]) => y === first[1]);
  return {
    slope: line.m,
    intercept: line.b,
    r2: flat ? 1 : rSquared(pairs, linearRegressionLine(line)),
  };
}
