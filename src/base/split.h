// SPDX-License-Identifier: Apache-2.0
// The lines or words of what the kernel and other programs print.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace onggi {

// The parts between separators, but for empty ones. Refers to the text, which must outlive it.
class Split {
 public:
  class Iterator {
   public:
    Iterator(std::string_view rest, char separator) : rest_(rest), separator_(separator) {
      find_part();
    }
    std::string_view operator*() const { return rest_.substr(0, size_); }
    Iterator& operator++() {
      rest_.remove_prefix(size_);
      find_part();
      return *this;
    }
    bool operator!=(const Iterator& other) const { return rest_.size() != other.rest_.size(); }

   private:
    void find_part() {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(separator_), rest_.size()));
      size_ = std::min(rest_.find(separator_), rest_.size());
    }

    std::string_view rest_;  // from the part on
    size_t size_ = 0;        // of the part
    char separator_;
  };

  Split(std::string_view text, char separator) : text_(text), separator_(separator) {}
  Iterator begin() const { return {text_, separator_}; }
  Iterator end() const { return {text_.substr(text_.size()), separator_}; }

  std::vector<std::string_view> all() const {
    std::vector<std::string_view> parts;
    for (std::string_view part : *this) parts.push_back(part);
    return parts;
  }

 private:
  std::string_view text_;
  char separator_;
};

inline Split split(std::string_view text, char separator) {
  return {text, separator};
}
inline Split lines_of(std::string_view text) {
  return {text, '\n'};
}
inline Split words_of(std::string_view text) {
  return {text, ' '};
}

}  // namespace onggi
