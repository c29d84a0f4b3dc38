// SPDX-License-Identifier: Apache-2.0
// Where process.args[0] is: the rule of execvp(3), except that a text file is not given to a shell.
// Anything in the way that is not a program (a directory, a file without the x bit, a dangling
// link, an item that is no directory) does not hide a program in a later directory of PATH.
#pragma once

#include "base/text.h"

#include <errno.h>

#include <algorithm>
#include <string_view>

namespace onggi {

constexpr size_t kPathMax = 4096;  // PATH_MAX, with the final NUL
using Path = FixedText<kPathMax>;

// What is at one place, or what has become of an attempt with it.
struct Seen {
  long error = 0;         // negated errno; 0: a program
  bool is_final = false;  // the search ends here
};

struct Search {
  long error = -ENOENT;   // of `place`; -ENOENT: nowhere is anything of that name
  Path place;             // where the search has ended, or else the first thing that was in the way
  size_t offset = 0;      // of that place's item in PATH
  bool searched = false;  // in PATH, since the name has no slash
  bool ended = false;     // by a place that was final
};

// Calls `see` with one place after the other. An empty item of `places` is the working directory.
template <class See>
Search search(std::string_view name, std::string_view places, See see) {
  Search search;
  search.searched = name.find('/') == name.npos;
  const auto visit = [&](std::string_view item, size_t offset) {
    Path place(item);
    if (search.searched) place.append(item.empty() ? "./" : "/");
    // What does not fit would be cut off, and be the path of another file.
    const bool fits = place.view().size() + name.size() < kPathMax;
    place.append(name);
    const Seen seen = fits ? see(place) : Seen{-ENAMETOOLONG, false};
    const bool absent = search.searched && (seen.error == -ENOENT || seen.error == -ENOTDIR);
    if (seen.is_final || (search.place.empty() && !absent)) {
      search.error = seen.error;
      search.place = place;
      search.offset = offset;
    }
    return search.ended = seen.is_final;
  };
  if (!search.searched) {
    visit({}, 0);
  } else if (!name.empty()) {
    for (size_t from = 0;;) {
      const size_t colon = std::min(places.find(':', from), places.size());
      if (visit(places.substr(from, colon - from), from) || colon == places.size()) break;
      from = colon + 1;
    }
  }
  return search;
}

// Opens no more than the path, since to open a FIFO or a device may have an effect. Final: a
// program, or what `hidden` says of a place that may not be entered.
Seen look(const char* path, bool hidden = false);

}  // namespace onggi
