#include "storage/catalog/schema_time.h"

#include <array>
#include <cstddef>
#include <ctime>

namespace stompbox::catalog {

std::string LocalTimestamps::at(std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto second = std::chrono::floor<std::chrono::seconds>(since);
  if (second != second_) {
    const std::time_t clock = static_cast<std::time_t>(second.count());
    std::tm fields{};
    localtime_r(&clock, &fields);
    std::array<char, 32> text{};
    const std::size_t length =
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &fields);
    prefix_.assign(text.data(), length);
    second_ = second;
  }
  if (digits_ == 0) return prefix_;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since - second).count();
  const std::string digits = std::to_string(micros);
  return prefix_ + "." + (std::string(6 - digits.size(), '0') + digits).substr(0, digits_);
}

}  // namespace stompbox::catalog
