// Result<T>: a value, or the Error that explains why there is none. Used where things are made
// (backends, limiters); decisions carry their Errc themselves.
#pragma once

#include <stdexcept>
#include <utility>
#include <variant>

#include "ratelimit/error.hpp"
#include "ratelimit/export.hpp"

namespace ratelimit {

/// What `Result::value` throws when there is no value. `what()` is the error's message.
class RATELIMIT_API BadResultAccess : public std::runtime_error {
 public:
  explicit BadResultAccess(const Error& error);
  ~BadResultAccess() override;
  [[nodiscard]] Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

namespace detail {
/// Throws BadResultAccess. Out of line, so that a program built without exceptions compiles and
/// links the same header; there it ends the program through std::terminate.
[[noreturn]] RATELIMIT_API void throw_bad_result(const Error& error);
}  // namespace detail

/// Holds either a T or an Error.
///
/// Thread safety: that of the value it holds.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // implicit: return value;
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // implicit: return error;

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Returns the value. Errors: throws BadResultAccess where there is none.
  [[nodiscard]] T& value() & {
    require();
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    require();
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    require();
    return std::move(*std::get_if<0>(&state_));
  }

  /// The value, unchecked. Requires: `has_value()`.
  T& operator*() noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const noexcept { return *std::get_if<0>(&state_); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The error. Requires: `!has_value()`.
  [[nodiscard]] const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
  void require() const {
    if (!has_value()) detail::throw_bad_result(error());
  }

  std::variant<T, Error> state_;
};

}  // namespace ratelimit
