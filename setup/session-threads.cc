// Lets each session choose how many threads one of its operations is spread over: tfjs-node makes its sessions without a
// configuration. The addon is compiled with this function in the place of TF_NewSessionOptions (addon.mjs). The number comes
// in MOCO_SESSION_THREADS, 0 for TensorFlow's own; that the variable is there tells JavaScript that it is heeded.
// TensorFlow heeds it where TF_OVERRIDE_GLOBAL_THREADPOOL gives each session threads of its own (src/engine/environment.ts).
#include <algorithm>
#include <cstdlib>

// The macro of the compiler's command line would make this function call itself.
#undef TF_NewSessionOptions
#include "tensorflow/c/c_api.h"

namespace {
const char* const kVariable = "MOCO_SESSION_THREADS";
const bool told = setenv(kVariable, "0", 1) == 0;
}  // namespace

extern "C" TF_SessionOptions* MocoNewSessionOptions() {
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* asked = std::getenv(kVariable);
  const int threads = asked == nullptr ? 0 : std::clamp(std::atoi(asked), 0, 127);
  if (threads == 0) return options;
  // ConfigProto in protobuf's wire format: field 2, intra_op_parallelism_threads, a number below 128.
  const unsigned char config[] = {0x10, static_cast<unsigned char>(threads)};
  TF_Status* status = TF_NewStatus();
  TF_SetConfig(options, config, sizeof(config), status);
  TF_DeleteStatus(status);
  return options;
}
