/** Names of the two encoders in checkpoints: those of the official MoCo. */
export const queryName = "encoder_q";
export const keyName = "encoder_k";
