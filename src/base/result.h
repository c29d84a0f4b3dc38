// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error, without heap and without exceptions; a wrong access aborts.
// (C++23's std::expected needs -std=c++23 in g++ 12 and is not in its freestanding part.)
#pragma once

#include "base/error.h"

#include <new>
#include <type_traits>
#include <utility>

namespace onggi {

template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(const Error& error) : error_(error), ok_(false) {}  // NOLINT(google-explicit-constructor)
  template <class U = T>
  requires std::is_constructible_v<T, U&&> &&(!std::is_same_v<std::remove_cvref_t<U>, Result>)&&(
      !std::is_same_v<std::remove_cvref_t<U>, Error>)Result(U&& value)
      : value_(std::forward<U>(value)), ok_(true) {}  // NOLINT(google-explicit-constructor)
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_) {
      new (&value_) T(std::move(other.value_));
    } else {
      new (&error_) Error(other.error_);
    }
  }
  Result& operator=(Result&&) = delete;
  ~Result() {
    if (ok_) value_.~T();
  }

  explicit operator bool() const { return ok_; }
  T& value() & { return check(ok_), value_; }
  const T& value() const& { return check(ok_), value_; }
  T&& value() && { return check(ok_), std::move(value_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() { return value(); }
  const Error& error() const { return check(!ok_), error_; }

 private:
  static void check(bool right) {
    if (!right) __builtin_abort();
  }
  union {
    T value_;
    Error error_;
  };
  bool ok_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : ok_(true) {}
  Result(const Error& error) : error_(error), ok_(false) {}  // NOLINT(google-explicit-constructor)
  Result(const Result& other) : ok_(other.ok_) {
    if (!ok_) new (&error_) Error(other.error_);
  }
  Result& operator=(const Result& other) {
    ok_ = other.ok_;
    if (!ok_) new (&error_) Error(other.error_);
    return *this;
  }
  ~Result() = default;

  explicit operator bool() const { return ok_; }
  void value() const {
    if (!ok_) __builtin_abort();
  }
  const Error& error() const {
    if (ok_) __builtin_abort();
    return error_;
  }

 private:
  union {
    Error error_;
  };
  bool ok_;
};

}  // namespace onggi

// The value of a Result, or return its error from this function. Never nested in another TRY
// (-Wshadow).
#define TRY(expression)                         \
  __extension__({                               \
    auto try_result = (expression);             \
    if (!try_result) return try_result.error(); \
    std::move(try_result).value();              \
  })

// The same, naming the place of config.json that the failure belongs to.
#define TRY_AT(place_text, expression)                                           \
  __extension__({                                                                \
    auto try_result = (expression);                                              \
    if (!try_result) return ::onggi::at_place(try_result.error(), (place_text)); \
    std::move(try_result).value();                                               \
  })
