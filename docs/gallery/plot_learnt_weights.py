"""
Weights of losses that learn
============================

``learnt_weights`` moves the weights of the losses while the network learns: an outer step asks of
each loss whether learning by it helps the primary task on examples that are kept aside. Here on a
problem small enough to know the answer.
"""

# %%
# One network of two numbers out of ten, and three losses. The primary task wants the first number
# to be one direction of the input. "helper" wants the same with little noise; "bystander" wants
# something of the second number, which shares nothing; "opponent" wants the first number to be its
# opposite.
import matplotlib.pyplot as plt
import torch

from exiface.training.bilevel import LearntWeights, LossWeights, derivatives

torch.manual_seed(0)
inputs, kept = torch.randn(256, 10), torch.randn(256, 10)
direction = torch.randn(10)
parameters = [torch.zeros(2, 10, requires_grad=True)]


def losses(values):
    first, second = (inputs @ values[0].T).T
    helper = (first - inputs @ direction - 0.1 * torch.randn(256)).square().mean()
    bystander = (second - inputs[:, 0]).square().mean()
    opponent = (first + inputs @ direction).square().mean()
    return torch.stack([helper, bystander, opponent])


def primary(values):
    return (kept @ values[0][0] - kept @ direction).square().mean()


# %%
# A step: gradients of the weighted losses, the outer step that moves the weights, then the
# network's.
names, rate = ("helper", "bystander", "opponent"), 0.03
weights = LossWeights(names, [1.0, 1.0, 1.0], LearntWeights(learning_rate=0.04, lowest=0.0))
history, fallen = [], []
for _ in range(60):
    weighted = (weights.values.detach().float() * losses(parameters)).sum()
    gradients = torch.autograd.grad(weighted, parameters)
    found = derivatives(
        losses, primary, parameters, gradients, [rate], decay=0.0, derivative="exact"
    )
    weights.learn(found)
    weighted = (weights.values.detach().float() * losses(parameters)).sum()
    [gradient] = torch.autograd.grad(weighted, parameters)
    with torch.no_grad():
        parameters[0] -= rate * gradient
    history.append(weights.values.tolist())
    fallen.append(primary(parameters).item())

# %%
# What helps the primary task gains weight, what works against it loses it, and what has nothing to
# do with it stays as it is.
figure, (above, below) = plt.subplots(2, 1, figsize=(8, 5), sharex=True, layout="constrained")
for name, values, style in zip(names, zip(*history), ("-", ":", "--")):
    above.plot(values, style, label=name, linewidth=1.8)
above.set(ylabel="weight in the loss")
above.legend(frameon=False)
below.plot(fallen, color="#0072B2")
below.set(xlabel="step", ylabel="primary loss", yscale="log")
plt.show()
