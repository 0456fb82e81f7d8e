// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the event that the tests have as an example to standard output, for
 * examples.sh.
 */
#include <stdio.h>
#include "build.h"

int main(void)
{
	struct build build;

	build_example(&build);
	return fwrite(build.data, build.size, 1, stdout) != 1;
}
