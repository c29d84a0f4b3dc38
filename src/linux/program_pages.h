// SPDX-License-Identifier: Apache-2.0
// The pages of our own program.
#pragma once

namespace onggi {

// Gives back those that hold code and constants, four fifths of what a runtime has in memory that
// waits for its container. What is needed again comes from the page cache, at about a microsecond
// for 64 KiB (madvise(2), MADV_DONTNEED).
void release_program_pages();

}  // namespace onggi
