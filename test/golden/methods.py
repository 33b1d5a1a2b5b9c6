"""
The methods as their papers and official codes describe them, a generator each: every step gives loss, accuracy, logits,
networks and memory as they are after the step. Written for reading and for comparison, not for speed.

`c` is the configuration of a trajectory (trajectories.py); all tensors have PyTorch's default type.
"""

import torch
from encoder import encode, narrow_resnet18
from hashed import hashed, permutation
from torch.nn import functional as F


def moco(c):
    """
    MoCo's Algorithm 1 in the order of its official code: momentum update, keys, logits [positive, queue] / T, gradient,
    and only then the keys enter the queue. The symmetric form is that of the authors' CIFAR-10 demo.
    """
    query, key = network(c), network(c)
    key.requires_grad_(False)
    queue, pointer = unit_rows(1000, c["queueSize"], c), 0
    optimizer, scheduler = sgd(query, c)
    for step in range(c["steps"]):
        view1, view2 = view(c, step, 0), view(c, step, 1)
        with torch.no_grad():
            for p_k, p_q in zip(key.parameters(), query.parameters()):
                p_k.mul_(c["momentum"]).add_(p_q, alpha=1 - c["momentum"])

        def contrast(x_q, x_k, seed):
            q = encode(query, x_q, c["bnGroups"])
            with torch.no_grad():
                k = encode_shuffled(key, x_k, seed, c)
            return torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], 1) / c["temperature"], k

        logits, k2 = contrast(view1, view2, permutation_seed(step, 0))
        keys = k2
        loss = first_is_right(logits)
        accuracy = share_of_first(logits)
        if c["symmetric"]:
            logits21, k1 = contrast(view2, view1, permutation_seed(step, 1))
            keys = torch.cat([k1, k2])
            loss = loss + first_is_right(logits21)
            accuracy = (accuracy + share_of_first(logits21)) / 2
            logits = torch.cat([logits, logits21])
        update(loss, (optimizer, scheduler))
        queue = torch.cat([queue[:pointer], keys, queue[pointer + len(keys) :]])
        pointer = (pointer + len(keys)) % len(queue)
        yield {
            "loss": loss,
            "accuracy": accuracy,
            "logits": logits,
            "networks": {"encoder_q.": query, "encoder_k.": key},
            "queue": queue,
        }


def end_to_end(c):
    """
    Figure 2a: both encoders learn by gradients, which flow back through the shuffle; the other keys of the batch are the
    negatives. Its code was never published: this is the text of sections 3.2 and 4.1.
    """
    query, key = network(c), network(c)
    optimizers = [*sgd(query, c), *sgd(key, c)]
    for step in range(c["steps"]):
        q = encode(query, view(c, step, 0), c["bnGroups"])
        k = encode_shuffled(key, view(c, step, 1), permutation_seed(step, 0), c)
        logits = q @ k.T / c["temperature"]
        labels = torch.arange(len(q))
        loss = F.cross_entropy(logits, labels)
        update(loss, optimizers)
        yield {
            "loss": loss,
            "accuracy": (logits.argmax(1) == labels).double().mean(),
            "logits": logits,
            "networks": {"encoder_q.": query, "encoder_k.": key},
        }


def memory_bank(c):
    """
    Figure 2b: a vector for each training image, one view, and vectors of K drawn images as negatives. Negatives are
    drawn uniformly with replacement and do not leave out the batch's own images (as PyContrast does); here one draw
    serves the whole batch. The bank moves by half of the way to the new vector, and back to unit length.
    """
    net = network(c)
    bank = unit_rows(1000, c["images"], c)
    optimizer, scheduler = sgd(net, c)
    for step in range(c["steps"]):
        indices, negatives = batch_indices(c, step), negative_indices(c, step)
        q = encode(net, view(c, step, 0), c["bnGroups"])
        positive = (q * bank[indices]).sum(1, keepdim=True)
        logits = torch.cat([positive, q @ bank[negatives].T], 1) / c["temperature"]
        loss = first_is_right(logits)
        update(loss, (optimizer, scheduler))
        bank = bank.clone()
        bank[indices] = F.normalize(0.5 * bank[indices] + 0.5 * q.detach(), dim=1)
        yield {
            "loss": loss,
            "accuracy": None if tied_at_the_top(logits, indices, negatives) else share_of_first(logits),
            "logits": logits,
            "networks": {"encoder.": net},
            "bank": bank,
        }


def simclr(c):
    """
    SimCLR: both views go through one network in one pass; each of the 2N views has to find the other one of its image
    among the 2N - 1 others. Equation 1 and Algorithm 1 of its paper: the mean over 2N (the official code adds the means
    over the N first and the N second views, which is twice that).
    """
    net = network(c)
    optimizer, scheduler = sgd(net, c)
    for step in range(c["steps"]):
        views = torch.cat([view(c, step, 0), view(c, step, 1)])
        z = encode(net, views, c["bnGroups"])
        count = len(z)
        logits = z @ z.T / c["temperature"]
        others = logits.masked_fill(torch.eye(count, dtype=torch.bool), -torch.inf)
        labels = (torch.arange(count) + count // 2) % count
        loss = F.cross_entropy(others, labels)
        update(loss, (optimizer, scheduler))
        yield {
            "loss": loss,
            "accuracy": (others.argmax(1) == labels).double().mean(),
            "logits": logits,
            "networks": {"encoder.": net},
        }


def network(c):
    return narrow_resnet18(c["width"], c["dimension"], c["head"]).to(memory_format=c["memory_format"])


def sgd(net, c):
    """PyTorch's SGD with weight decay on all parameters, and the rate of each step (a step stands for an epoch here)."""
    optimizer = torch.optim.SGD(net.parameters(), lr=c["rate"], momentum=c["sgdMomentum"], weight_decay=c["weightDecay"])
    schedule = c["schedule"]
    if schedule["kind"] == "cosine":
        return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, c["steps"])
    return optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, schedule["milestones"], schedule["factor"])


def update(loss, optimizers_and_schedulers):
    optimizers = [part for part in optimizers_and_schedulers if isinstance(part, torch.optim.Optimizer)]
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    for part in optimizers_and_schedulers:
        part.step()


def first_is_right(logits):
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))


def share_of_first(logits):
    return (logits.argmax(1) == 0).double().mean()


def tied_at_the_top(logits, indices, negatives):
    """Whether an image that is among its own negatives wins: then rounding says which of its two columns is first."""
    own = (indices[:, None] == negatives).any(1)
    return bool((own & (logits[:, 0] >= logits.max(1).values - 1e-3)).any())


def encode_shuffled(net, x, seed, c):
    """Shuffling BN (section 3.3): the keys are normalized in other groups than their queries."""
    order = permutation(seed, len(x))
    return encode(net, x[order], c["bnGroups"])[torch.argsort(order)]


def unit_rows(seed, count, c):
    return F.normalize(hashed(seed, (count, c["dimension"]), -1, 1), dim=1)


def permutation_seed(step, view):
    return 3000 + 2 * step + view


def batch_indices(c, step):
    """Each epoch has its own order of the images."""
    per_epoch = c["images"] // c["batch"]
    first = step % per_epoch * c["batch"]
    return permutation(4000 + step // per_epoch, c["images"])[first : first + c["batch"]]


def negative_indices(c, step):
    return (hashed(5000 + step, (c["negatives"],), 0, 1).double() * c["images"]).long().clamp(max=c["images"] - 1)


def view(c, step, which):
    """An image is 4 x 4 colored squares; a view of it has noise of its own. [N, 3, size, size]"""
    size = c["size"]
    squares = hashed(c["seed"], (c["images"], 4, 4, 3), -1, 1)[batch_indices(c, step)]
    images = squares.repeat_interleave(size // 4, 1).repeat_interleave(size // 4, 2)
    noise = hashed(c["seed"] + 1 + 2 * step + which, images.shape, -1, 1)
    # In float32, as the engine adds: both precisions start from the same numbers.
    views = (images.float() + noise.float() / 2).to(noise.dtype)
    return views.permute(0, 3, 1, 2).contiguous(memory_format=c["memory_format"])
