// Gives TensorFlow's log the level that TF_CPP_MIN_LOG_LEVEL asks for, from the first line on. In a program other than Python
// the library logs two information lines of oneDNN while it is loaded, before anything could be set. It asks this function
// for the level at every line; and the loader looks for functions in the addon before the libraries that the addon needs.
#include <algorithm>
#include <cstdlib>

#include "absl/base/config.h"
#include "absl/base/log_severity.h"
#include "absl/log/globals.h"

namespace absl {
ABSL_NAMESPACE_BEGIN

// 0 is information, 1 warnings, 2 errors, 3 what ends the process.
LogSeverityAtLeast MinLogLevel() {
  static const int number = [] {
    const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
    return level == nullptr ? 0 : std::clamp(std::atoi(level), 0, 3);
  }();
  return static_cast<LogSeverityAtLeast>(number);
}

ABSL_NAMESPACE_END
}  // namespace absl
